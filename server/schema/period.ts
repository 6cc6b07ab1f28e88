/** period — the time in which a counter counts. */
import type { Period } from '../domain/period.ts';
import { builder, wordEnum } from './builder.ts';

export const ResetEnum = wordEnum('Reset', 'When a counter starts again from zero, in the time zone of the customer.', {
  never: 'Never.',
  hourly: 'At every full hour.',
  daily: 'At midnight.',
  weekly: 'At midnight before Monday.',
  monthly: 'At midnight before the first of the month.',
  quarterly: 'At midnight before the first of January, April, July and October.',
  yearly: 'At midnight before the first of January.',
});

export const PeriodType = builder.objectRef<Period>('Period').implement({
  description: 'Half-open: `start` is in it, `end` is not.',
  fields: (t) => ({
    start: t.expose('startMs', { type: 'DateTime', description: 'The first instant that counts.' }),
    end: t.expose('endMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When the counter starts again from zero. Null: never.',
    }),
  }),
});
