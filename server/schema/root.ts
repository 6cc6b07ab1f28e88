/** root — the three types that the other modules add their fields to. */
import { builder } from './builder.ts';

builder.queryType({ description: 'What can be asked. Nothing is written.' });
builder.mutationType({
  description: 'What can be changed. Each answers with a union of its result and the errors that it names.',
});
builder.subscriptionType({
  description: 'What can be followed. Every stream can be resumed from the cursor of its last item, without a gap.',
});
