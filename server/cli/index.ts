#!/usr/bin/env node
/** cli — the `metergraph` command. */
import { runAsInProduction } from '../config.ts';

runAsInProduction();
const { createProgram } = await import('./program.ts');
await createProgram().parseAsync();
