#!/usr/bin/env node
/** cli — the `metergraph` command. */
import { createProgram } from './program.ts';

await createProgram().parseAsync();
