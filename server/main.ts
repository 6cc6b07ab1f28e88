/** main — runs the gateway: what `npm start` is, with the flags of `metergraph start`. */
import { createProgram } from './cli/program.ts';

await createProgram().parseAsync(['start', ...process.argv.slice(2)], { from: 'user' });
