/** rate-limit — at most so many calls in a window of time, of a plan or of a feature. */
import type { RateLimit } from '../domain/rate-limit.ts';
import { builder } from './builder.ts';

export const RateLimitType = builder.objectRef<RateLimit>('RateLimit').implement({
  description: 'At most so many calls in a window of time; one call more is denied with `RATE_LIMITED`.',
  fields: (t) => ({
    limit: t.exposeInt('limit', { description: 'Calls that pass in one window.' }),
    windowSeconds: t.float({
      description: 'Length of the window, which opens with the first call.',
      resolve: ({ windowMs }) => windowMs / 1_000,
    }),
  }),
});

export const RateLimitInput = builder.inputType('RateLimitInput', {
  description: 'At most so many calls in a window of time.',
  fields: (t) => ({
    limit: t.int({ required: true, description: 'Calls that pass in one window; at least 1.' }),
    windowSeconds: t.int({ required: true, description: 'Length of the window: from 1 second to 31 days.' }),
  }),
});

export type RateLimitFields = { readonly limit: number; readonly windowSeconds: number };

export const rateLimitsOf = (list: readonly RateLimitFields[]): readonly RateLimit[] =>
  list.map(({ limit, windowSeconds }) => ({ limit, windowMs: windowSeconds * 1_000 }));
