/** cursor-expired — what a stream says when it cannot resume. */
import type { CursorExpired } from '../events/stream-items.ts';
import { builder } from './builder.ts';

export const CursorExpiredType = builder.objectRef<CursorExpired>('CursorExpired').implement({
  description: 'The cursor in `after` is too old to resume from. What follows starts from the current state.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'A sentence for people.' }),
  }),
});
