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
      rateLimit: { limit: 100, window: 'PT1M' },
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
      features: {
        // A soft limit: use goes on beyond the included million, at 2 cents per thousand.
        ai_tokens: { limit: 1_000_000, enforcement: 'soft', price: { unitAmount: '0.002' } },
        api_calls: { limit: 20_000 },
        emails: { limit: 500 },
        exports: { limit: null }, // as many as they like
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
      features: {
        ai_tokens: { limit: 20_000_000, enforcement: 'soft', price: { unitAmount: '0.001' } },
        api_calls: { limit: null },
        emails: { limit: 5_000 },
        exports: { limit: null },
        seats: { limit: 50 },
        storage: { limit: 1_000, enforcement: 'soft', price: { unitAmount: 2 } },
      },
    },
  },
  defaultPlan: 'free',
});
