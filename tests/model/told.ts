/**
 * told — an answer in plain words and decimals, alike whether the engine or the model gave it, so that two of them compare
 * and a difference can be read.
 */
import type { Units } from '../../server/domain/units.ts';
import { formatUnits } from '../../server/domain/units.ts';

/** Field → text; null is "none". */
export type Told = Readonly<Record<string, string | boolean | null>>;

export const refusedWith = (error: string): Told => ({ error });

export const decimal = (units: Units | null): string | null => (units === null ? null : formatUnits(units));

export const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export type Split = {
  readonly included: Units;
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  readonly walletCharge: Units;
  readonly overageCost: Units;
};

/** `1 included + 2 credits + 3 wallet (30) + 4 overage (40)`, without what is 0. */
export function spellSplit(split: Split): string {
  const parts = [
    spellPart(split.included, 'included', null),
    spellPart(split.credits, 'credits', null),
    spellPart(split.wallet, 'wallet', split.walletCharge),
    spellPart(split.overage, 'overage', split.overageCost),
  ];
  return parts.filter((part) => part !== null).join(' + ') || 'nothing';
}

function spellPart(units: Units, name: string, money: Units | null): string | null {
  if (units === 0n && (money ?? 0n) === 0n) return null;
  return `${formatUnits(units)} ${name}${money === null ? '' : ` (${formatUnits(money)})`}`;
}

/** The fields in which two answers differ, each with both; empty when they agree. */
export function differences(engine: Told, model: Told): string[] {
  if ('error' in engine !== 'error' in model)
    return [`engine says ${spellTold(engine)}, model says ${spellTold(model)}`];
  const fields = [...new Set([...Object.keys(engine), ...Object.keys(model)])];
  return fields
    .filter((field) => engine[field] !== model[field])
    .map((field) => `${field}: engine says ${engine[field]}, model says ${model[field]}`);
}

/** An answer in a line. */
export function spellTold(told: Told): string {
  if ('error' in told) return `error ${told.error}`;
  if (told.allowed === false) return `denied ${told.reason}`;
  const alerts = told.alerts ? `alerts ${told.alerts}` : null;
  return [told.amount, told.split, alerts].filter(Boolean).join('; ') || 'done';
}
