/** catalog — what is sold while we measure: nothing is switched off that a real customer would have on. */
import { defineConfig } from '../server/index.ts';

export const FEATURE_KEY = 'api_calls';

/** The same admin key on every database of a run; it opens nothing else. */
export const API_KEY = 'mg_live_BenchRun_0123456789ABCDEFGHIJabcdefghij01';

/**
 * A hard limit, a rate limit and thresholds, none of which denies a call: a denial writes less. The small thresholds
 * are crossed again and again by 10,000 customers, so that alerts are stored and not only looked for.
 */
export const CATALOG = defineConfig({
  features: {
    [FEATURE_KEY]: {
      displayName: 'API calls',
      unit: 'call',
      reset: 'monthly',
      limit: 1_000_000_000,
      enforcement: 'hard',
      thresholds: [{ used: 2 }, { used: 10 }, { used: 100_000 }, 0.8, 1],
    },
  },
  plans: {
    pro: { rateLimit: { limit: 1_000_000_000, window: 'PT1M' }, features: { [FEATURE_KEY]: {} } },
  },
  defaultPlan: 'pro',
});

/** What the API's own greeting asks: the decision, and the numbers after it. */
export const CONSUME = `mutation Consume($input: ConsumeInput!) {
  consume(input: $input) {
    ... on Consumption {
      allowed
      denial { reason message retryAt }
      usage { used limit remaining }
    }
    ... on UserError { code message }
  }
}`;

/** The same of many calls in one request. */
export const CONSUME_MANY = `mutation ConsumeMany($input: ConsumeManyInput!) {
  consumeMany(input: $input) {
    ... on ConsumeManyPayload {
      results {
        ... on Consumption {
          allowed
          denial { reason message retryAt }
          usage { used limit remaining }
        }
        ... on UserError { code message }
      }
    }
    ... on UserError { code message }
  }
}`;

/** The same, told also whether an answer is an earlier one again. */
export const withReplayed = (document: string): string => document.replace('allowed', 'allowed replayed');

/** The customer that the load calls by this index. */
export const referenceOf = (index: number): string => `customer_${String(index).padStart(5, '0')}`;
