/** rule-text — a credit rule as one text: what is remembered of the rule that the running allocation was made by. */
import type { CreditRule } from '../../domain/credit-rule.ts';
import type { Reset } from '../../domain/period.ts';
import { formatUnits } from '../../domain/units.ts';

/** Null for no rule. Two rules are the same if their texts are; one without a reset of its own has its feature's. */
export const ruleText = (rule: CreditRule | null, featureReset: Reset): string | null =>
  rule &&
  JSON.stringify({ ...rule, reset: rule.reset ?? featureReset }, (_, value: unknown) =>
    typeof value === 'bigint' ? formatUnits(value) : value,
  );
