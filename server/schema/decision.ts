/** decision — what is said of a call that was decided: the modes to ask in, why it was denied, and what paid. */
import type { Split } from '../domain/decision.ts';
import { DENIAL_REASONS, type Denial, type DenialReason } from '../domain/denial.ts';
import { CONSUME_MODES, type ConsumeMode } from '../domain/meter-state.ts';
import { builder } from './builder.ts';
import { MoneyType } from './money.ts';

const MODES: Readonly<Record<ConsumeMode, string>> = {
  REJECT: 'All or nothing.',
  CLAMP: 'Takes what fits; `amount` in the answer says how much.',
  OVERFLOW: 'Records all, even past a hard limit: for work that already happened.',
};

const REASONS: Readonly<Record<DenialReason, string>> = {
  NOT_AUTHORIZED: 'The key may not act for this customer.',
  RATE_LIMITED: "All calls of the plan's rate limit are used; `retryAt` says when the next window opens.",
  FEATURE_NOT_IN_PLAN: 'Neither plan nor own limits name the feature: the customer is not entitled to it.',
  LIMIT_REACHED: 'The hard limit does not leave room for the amount.',
  SPEND_LIMIT_REACHED: 'The customer has spent as much as it may in this period.',
  INSUFFICIENT_FUNDS: 'What is included and prepaid does not pay for the amount, and nothing else does.',
  BELOW_MINIMUM: 'Giving back that much would leave less than the minimum.',
  REFUSED_BY_HOOK: "The app's own `before` hook refused.",
};

export const ConsumeModeEnum = builder.enumType('ConsumeMode', {
  description: 'What to do when the amount does not fit.',
  values: enumValues(CONSUME_MODES, MODES),
});

const DenialReasonEnum = builder.enumType('DenialReason', {
  description: 'Why a call was denied. In order of precedence: the first that holds is reported.',
  values: enumValues(DENIAL_REASONS, REASONS),
});

/** Values of an enum that is spelt alike on both sides, in the order of the list. */
function enumValues<T extends string>(list: readonly T[], descriptions: Readonly<Record<T, string>>) {
  const entries = list.map((value) => [value, { value, description: descriptions[value] }]);
  return Object.fromEntries(entries) as { readonly [K in T]: { readonly value: K; readonly description: string } }; // fromEntries forgets
}

export const DenialType = builder.objectRef<Denial>('Denial').implement({
  description: 'The call was understood and refused: a decision, not an error. Nothing was counted or charged.',
  fields: (t) => ({
    reason: t.expose('reason', { type: DenialReasonEnum, description: 'The first that holds.' }),
    message: t.exposeString('message', { description: 'A sentence for people: what is used, what is allowed.' }),
    retryAt: t.expose('retryAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When the same call may pass. Null when time alone does not help.',
    }),
  }),
});

export const SplitType = builder.objectRef<Split>('Split').implement({
  description: 'What paid for the units: the four parts add up to the amount. Below 0 where units were given back.',
  fields: (t) => ({
    included: t.expose('included', { type: 'Decimal', description: 'Units that cost nothing.' }),
    credits: t.expose('credits', { type: 'Decimal', description: 'Prepaid units.' }),
    wallet: t.expose('wallet', { type: 'Decimal', description: 'Units paid from the wallet.' }),
    overage: t.expose('overage', { type: 'Decimal', description: 'Units to be billed at the end of the period.' }),
    walletCharge: t.expose('walletCharge', { type: MoneyType, description: 'What the wallet paid.' }),
    overageCost: t.expose('overageCost', { type: MoneyType, description: 'What the overage will cost.' }),
  }),
});
