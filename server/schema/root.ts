/** root — the three types that the other modules add their fields to. */
import { builder } from './builder.ts';

builder.queryType({ description: 'What can be asked. Nothing is written.' });
builder.mutationType({
  description: 'What can be changed. Each answers with a union of its result and the errors that it names.',
});
builder.subscriptionType({
  description:
    'What can be followed. Streams of usage and alerts resume from the cursor of their last item, without a gap.',
});
