/** What the demo meters: an app that sells API calls, AI tokens, e-mails, storage, seats and exports. Make it yours. */
import { defineConfig } from 'metergraph';

export default defineConfig({
  features: {
    ai_tokens: {
      displayName: 'AI tokens',
      unit: 'token',
      reset: 'monthly',
      details: ['Prompt and answer count alike'],
    },
    api_calls: {
      displayName: 'API calls',
      unit: 'call',
      reset: 'daily',
      details: ['Starts again at midnight, in your time zone'],
    },
    emails: {
      displayName: 'E-mails',
      unit: 'e-mail',
      reset: 'hourly',
      thresholds: [0.5, 0.9, 1],
    },
    exports: {
      displayName: 'Exports',
      unit: 'export',
      aggregation: 'count',
      reset: 'monthly',
    },
    seats: {
      displayName: 'Seats',
      unit: 'seat',
      reset: 'never',
      minLimit: 0, // a seat can be given back
      thresholds: [{ remaining: 1 }, 1],
    },
    storage: {
      displayName: 'Storage',
      unit: 'GB',
      reset: 'never',
      minLimit: 0, // deleted files give their space back
    },
  },
  plans: {
    free: {
      displayName: 'Free',
      rateLimits: [
        { limit: 100, window: 'PT1M' },
        { limit: 3_000, window: 'PT1H' },
      ],
      features: {
        ai_tokens: { limit: 50_000 },
        api_calls: { limit: 1_000 },
        emails: { limit: 50 },
        seats: { limit: 3 },
        storage: { limit: 5 },
      },
    },
    pro: {
      displayName: 'Pro',
      price: [{ amount: 2_900, currency: 'usd', interval: 'month' }], // minor units: 29 dollars
      rateLimit: { limit: 1_000, window: 'PT1M' },
      spendLimit: { amount: 50_000, currency: 'usd' }, // at most 500 dollars a month beyond what is included
      features: {
        // A soft limit: use goes on beyond the included million, at 2 cents per thousand.
        ai_tokens: {
          limit: 1_000_000,
          enforcement: 'soft',
          price: { unitAmount: '0.002' },
          thresholds: [0.8, 1, { spend: 1_000 }], // and when the overage has come to 10 dollars
        },
        api_calls: { limit: 20_000 },
        emails: { limit: 500 },
        exports: {
          // A hundred prepaid ones a month; of what is left up to a half is kept, for three months at most.
          credits: {
            allocation: 100,
            onRenewal: { rollover: { max: '50%', expiresAfter: { every: 3, unit: 'month' } } },
          },
          price: { unitAmount: 100, per: 50 }, // then a dollar for each fifty begun
        },
        seats: { limit: 10 },
        storage: { limit: 100 },
      },
    },
    scale: {
      displayName: 'Scale',
      price: [
        { amount: 19_900, currency: 'usd', interval: 'month' },
        { amount: 199_000, currency: 'usd', interval: 'year' },
      ],
      wallet: { floor: -20_000 }, // prepaid money, and 200 dollars on credit
      features: {
        // Cheaper by the tier: the first ten million beyond the limit, and all after them.
        ai_tokens: {
          limit: 20_000_000,
          enforcement: 'soft',
          price: {
            tiers: [
              { upTo: 10_000_000, unitAmount: '0.001' },
              { upTo: null, unitAmount: '0.0005' },
            ],
          },
        },
        api_calls: { limit: null },
        // Beyond 5,000 an hour they are paid from the wallet, and refused when it is empty.
        emails: { included: 5_000, billing: 'prepaid', price: { unitAmount: '0.1' } },
        exports: true, // as many as they like
        seats: { limit: 50 },
        storage: { limit: 1_000, enforcement: 'soft', price: { unitAmount: 2, maximumSpend: 10_000 } },
      },
    },
  },
  defaultPlan: 'free',
});
