/** scene-answers — how a scene says what it heard and read: in as few words as tell two answers apart. */
import type { Split } from '../../server/domain/decision.ts';
import { formatUnits, unitsOf } from '../../server/domain/units.ts';
import type { Usage } from '../../server/domain/usage.ts';
import type { Result } from '../../server/metering/requests.ts';

/** A refusal is its reason. */
export function spell(answer: Result): string {
  switch (answer.kind) {
    case 'consumption': {
      if (!answer.allowed) return answer.denial?.reason ?? '?';
      const alerts = answer.alerts.map(({ mark }) => `! ${mark}`);
      return [spellSplit(answer.split), ...alerts, ...(answer.replayed ? ['again'] : [])].join(' ');
    }
    case 'holding':
      if (!answer.allowed) return answer.denial?.reason ?? '?';
      return `${answer.reservation?.state} ${spellSplit(answer.split)}${answer.replayed ? ' again' : ''}`;
    case 'granted':
      return `${formatUnits(answer.grant.remaining)} ${answer.grant.state}${answer.replayed ? ' again' : ''}`;
    case 'wallet':
      return `${formatUnits(answer.wallet.balance)}${answer.replayed ? ' again' : ''}`;
    case 'restarted':
      return `${spellUsage(answer.usage)}${answer.replayed ? ' again' : ''}`;
    case 'settled':
      return 'done';
  }
}

/** `1 included + 2 credits + 3 wallet (30) + 4 overage (40)`, without what is 0. */
function spellSplit({ included, credits, wallet, overage, walletCharge, overageCost }: Split): string {
  const parts = [
    included === 0n ? null : `${formatUnits(included)} included`,
    credits === 0n ? null : `${formatUnits(credits)} credits`,
    wallet === 0n && walletCharge.amount === 0n
      ? null
      : `${formatUnits(wallet)} wallet (${formatUnits(walletCharge.amount)})`,
    overage === 0n && overageCost.amount === 0n
      ? null
      : `${formatUnits(overage)} overage (${formatUnits(overageCost.amount)})`,
  ];
  return parts.filter((part) => part !== null).join(' + ') || 'nothing';
}

/** `5 used, 3 held, 2 left, 4 credits, 100 in wallet`, without what is 0 or not there. */
export function spellUsage({ used, reserved, remaining, credits, wallet, overage }: Usage): string {
  const parts = [
    `${formatUnits(used)} used`,
    reserved === 0n ? null : `${formatUnits(reserved)} held`,
    remaining === null ? null : `${formatUnits(remaining)} left`,
    credits === 0n ? null : `${formatUnits(credits)} credits`,
    overage === 0n ? null : `${formatUnits(overage)} overage`,
    wallet === null ? null : `${formatUnits(wallet.amount)} in wallet`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

export const spellPeriod = ({ period: { startMs, endMs } }: Usage): string =>
  `${short(startMs)}/${endMs === null ? '' : short(endMs)}`;
const short = (ms: number): string =>
  new Date(ms)
    .toISOString()
    .replace(/:00\.000Z$/, 'Z')
    .replace('T00:00Z', '');

export function spellCounter({
  entity_id,
  period_start,
  used,
  closed_at,
  corrected_at,
}: Readonly<Record<string, unknown>>): string {
  const entity = entity_id === '' ? '' : ` ${entity_id}`;
  const state = corrected_at !== null ? ' corrected' : closed_at !== null ? ' closed' : '';
  return `${short((period_start as Date).getTime())}${entity} ${decimal(used)}${state}`; // a timestamp is a Date: see Row
}

/** As the database writes it. */
export const decimal = (value: unknown): string => formatUnits(unitsOf(String(value)));
