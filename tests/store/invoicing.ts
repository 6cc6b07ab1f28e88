/** invoicing — a scene whose billing periods become invoices, told in short sentences. */
import { Invoicer } from '../../server/billing/manual/invoicer.ts';
import type { Database } from '../../server/db/client.ts';
import { invoicesPage, linesOfInvoices } from '../../server/db/queries/invoices.ts';
import type { InvoiceLine } from '../../server/domain/invoice.ts';
import type { InvoiceRecord } from '../../server/domain/invoice-record.ts';
import { formatUnits } from '../../server/domain/units.ts';
import { query } from './rig.ts';
import { openScene, type Scene, type Setting } from './scene.ts';

const HOUR_MS = 3_600_000;

/** A scene on a database in which nobody else waits to be invoiced: other tenants go by other clocks. */
export async function openInvoiced(database: Database, setting: Setting): Promise<Scene> {
  await query(database, 'DELETE FROM invoice_positions');
  return openScene(database, setting);
}

/** Makes the scene's invoices, as a gateway does. @returns how many. */
export const makeInvoices = (scene: Scene, finaliseAfterMs = HOUR_MS): Promise<number> =>
  invoicerOf(scene, { finaliseAfterMs }).run();

export function invoicerOf(
  { deps }: Scene,
  { finaliseAfterMs = HOUR_MS, database = deps.database }: { finaliseAfterMs?: number; database?: Database } = {},
): Invoicer {
  const onError = (error: unknown) => {
    throw error;
  };
  return new Invoicer({ ...deps, database, finaliseAfterMs, onError });
}

export async function invoicesOf({ rig, customerId }: Scene): Promise<readonly InvoiceRecord[]> {
  const page = await invoicesPage(rig.database.query, rig.tenantId, customerId, { first: 1_000, after: null });
  return [...page.nodes].reverse();
}

export async function linesOf(scene: Scene, invoices: readonly InvoiceRecord[]): Promise<readonly InvoiceLine[]> {
  return linesOfInvoices(scene.rig.database.query, scene.rig.tenantId, invoices);
}

/** `1: 2026-03-15 – 2026-04-15, 3500 usd: base 2000, calls 150 × 10 = 1500`, in order of number. */
export async function told(scene: Scene): Promise<readonly string[]> {
  const invoices = await invoicesOf(scene);
  return Promise.all(
    invoices.map(async (invoice) => {
      const { number, period, currency, total, due } = invoice;
      const lines = (await linesOf(scene, [invoice])).map(spellLine).join(', ');
      const open = due.amount === total.amount ? '' : `, due ${formatUnits(due.amount)}`;
      return `${number}: ${day(period.startMs)} – ${day(period.endMs)}, ${formatUnits(total.amount)} ${currency}${open}: ${lines}`;
    }),
  );
}

/** By the day; with the time where it is not midnight. */
export const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T00:00', '');

export function spellLine({ kind, featureKey, quantity, unitAmount, amount, isAdjustment }: InvoiceLine): string {
  const words = [isAdjustment ? 'adjusted' : '', featureKey ?? '', kind === 'overage' ? '' : kind];
  const units =
    kind === 'base' || kind === 'minimum'
      ? ''
      : `${formatUnits(quantity)}${unitAmount === null ? '' : ` × ${formatUnits(unitAmount)}`} =`;
  return [...words, units, formatUnits(amount.amount)].filter((word) => word !== '').join(' ');
}
