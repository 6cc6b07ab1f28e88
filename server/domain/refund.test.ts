/**
 * Goal: an event that is reversed gives its own back, as far as its period still has it; and what others gave back in its
 * place is given back in theirs.
 * Method: an event and its period, written as what paid for them; vary what is given back, and what became of the grants.
 * Of `giveBack` itself the decision's tests and laws tell more.
 */
import { describe, expect, it } from 'vitest';
import { emptyCounter } from './counter.ts';
import { featureOf } from './definitions.ts';
import type { Grant } from './grant.ts';
import { NO_PAYMENT, type Payment } from './payment.ts';
import { mergePolicy } from './policy.ts';
import { giveBack, type PaidPeriod, stillPaid } from './refund.ts';
import { grantOf, spellDraws } from './testing/grants.ts';
import { formatUnits, type Units, unitsOf } from './units.ts';

describe('what an event may give back', () => {
  it.each([
    // the event paid             its period has                          back   may be given back
    ['3 wallet (30)', '3 wallet (30)', '3', '3 wallet (30)'],
    ['3 wallet (30)', '4 wallet (40) + 2 overage', '3', '3 wallet (30)'], // its own, not the last ones
    ['2 overage', '4 wallet (40) + 2 overage', '2', '2 overage'],
    ['3 wallet (30)', '2 included + 1 wallet (10)', '3', '1 wallet (10)'], // the rest was included
    ['3 wallet (30)', '1 wallet (10) + 2 overage', '3', '1 wallet (10) + 2 overage'], // back already: of others, the last
    ['3 wallet (30)', '1 included + 2 overage', '3', '2 overage'],
    ['3 overage', '2 credits + 4 wallet (40)', '5', '1 credits + 4 wallet (40)'],
    ['3 overage', '9 credits + 1 wallet (10) + 1 overage', '3', '1 credits + 1 wallet (10) + 1 overage'],
    ['2 credits', '1 credits + 3 wallet (30)', '2', '1 credits + 1 wallet (10)'],
    // Of what others paid their share, to the nearest billionth: neither is 10 ÷ 3 cut off.
    ['1 overage', '3 wallet (10)', '1', '1 wallet (3.333333333)'],
    ['2 overage', '3 wallet (10)', '2', '2 wallet (6.666666667)'],
    ['3 overage', '3 wallet (10)', '3', '3 wallet (10)'],
    ['1 wallet (5) + 1 overage', '4 wallet (15)', '2', '2 wallet (8.333333333)'], // its own 5, and a third of 10
    ['1 wallet (30)', '1 wallet (20)', '1', '1 wallet (20)'], // never more money than there is
  ])('%s, of %s: giving back %s → %s', (event, period, back, says) => {
    expect(spell(stillPaid(paymentOf(event), periodOf(period), unitsOf(back)))).toBe(says);
  });
});

describe('what is given back', () => {
  it('is no money of the wallet where none of its units go back, though it paid for some that stay', () => {
    // The wallet paid 10 for a unit that is held; its own unit went back at a lower price, and left 4 of what it paid.
    const period = { startMs: 0, endMs: null };
    const counter = { ...emptyCounter(period), used: unitsOf('2'), held: unitsOf('2'), ...AT_5_EACH };
    const paid = { credits: 0n, wallet: 0n, overage: unitsOf('2'), walletCharge: unitsOf('4'), draws: [] };
    const given = giveBack({ ...POLICY, price: perUnit('5') }, counter, paid, unitsOf('2'));
    expect(given).toMatchObject({ overage: -unitsOf('2'), wallet: 0n, cost: -unitsOf('10'), walletCharge: 0n });
  });
});

describe('where its credits go back to', () => {
  const A = { id: 'a', amount: unitsOf('10') };

  it.each([
    // the grant, of 10                                          held of it   of the 4 that the event drew
    ['6 left: the 4 are there', grantOf({ ...A, remaining: unitsOf('6') }), '0', 'a4'],
    ['9 left: others gave 3 back', grantOf({ ...A, remaining: unitsOf('9') }), '0', 'a1'],
    ['none drawn any more', grantOf({ ...A, remaining: unitsOf('10') }), '0', 'a0'],
    ['5 left, of which holds took 2', grantOf({ ...A, remaining: unitsOf('5') }), '2', 'a3'],
    ['spent', grantOf({ ...A, remaining: 0n, state: 'spent' }), '0', 'a4'],
    ['expired: none come back, whoever gave some', grantOf({ ...A, remaining: 0n, state: 'expired' }), '9', 'a4'],
    ['voided', grantOf({ ...A, remaining: 0n, state: 'voided' }), '9', 'a4'],
    ['not there', null, '0', 'a4'],
  ])('%s', (_, grant: Grant | null, held, last) => {
    const used = { ...paymentOf('4 credits'), draws: [{ grantId: 'a', units: unitsOf('4') }] };
    const others = [{ grantId: 'b', units: unitsOf('7') }];
    const period: PaidPeriod = {
      ...periodOf('11 credits', [...used.draws, ...others]),
      grants: new Map(grant && [[grant.id, grant]]),
      held: [{ grantId: 'a', units: unitsOf(held) }, ...others],
    };
    const { draws } = stillPaid(used, period, unitsOf('4'));
    const takenOut = last === 'a0' ? 'a0' : last.replace('a', 'a-');
    expect(spellDraws(draws)).toBe(`a4 b7 ${takenOut} ${last}`); // from where they were, and put last
  });
});

const POLICY = mergePolicy(featureOf('tenant', { key: 'calls' }), null, undefined);

const perUnit = (unitAmount: string) => ({
  model: 'per_unit' as const,
  unitAmount: unitsOf(unitAmount),
  currency: 'usd',
  minimumSpend: null,
  maximumSpend: null,
});

/** What paid for a period: a unit by the wallet, and three that are billed. */
const AT_5_EACH = { wallet: unitsOf('1'), overage: unitsOf('3'), cost: unitsOf('24'), walletCharge: unitsOf('14') };

const PARTS = ['included', 'credits', 'wallet', 'overage'] as const;

/** `2 included + 3 wallet (30)`: each part's units, and in brackets the money that the wallet paid. */
function paymentOf(text: string): Payment {
  const units = (part: string): Units => unitsOf(new RegExp(`([\\d.]+) ${part}`).exec(text)?.[1] ?? '0');
  const parts = Object.fromEntries(PARTS.map((part) => [part, units(part)]));
  return { ...NO_PAYMENT, ...parts, walletCharge: unitsOf(/\(([\d.]+)\)/.exec(text)?.[1] ?? '0') };
}

function periodOf(text: string, draws: Payment['draws'] = []): PaidPeriod {
  const { included, credits, wallet, overage, walletCharge } = paymentOf(text);
  const used = included + credits + wallet + overage;
  return { used, paid: { credits, wallet, overage, walletCharge, draws }, grants: new Map(), held: [] };
}

const spell = ({ credits, wallet, overage, walletCharge }: PaidPeriod['paid']): string =>
  [
    credits > 0n && `${formatUnits(credits)} credits`,
    wallet > 0n && `${formatUnits(wallet)} wallet (${formatUnits(walletCharge)})`,
    overage > 0n && `${formatUnits(overage)} overage`,
  ]
    .filter((part) => part !== false)
    .join(' + ');
