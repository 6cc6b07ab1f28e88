/** main — runs the gateway: what `npm start` is, with the flags of `metergraph start`. */
import { runAsInProduction } from './config.ts';

runAsInProduction();
const { createProgram } = await import('./cli/program.ts');
await createProgram().parseAsync(['start', ...process.argv.slice(2)], { from: 'user' });
