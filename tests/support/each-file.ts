/**
 * each-file — runs anew for each test file. Modules do not: the files of a worker share them, so a hook at the top of
 * one is the hook of the first file alone.
 */
import { afterAll } from 'vitest';
import { closeAllOfTheFile } from './after-use.ts';

afterAll(closeAllOfTheFile);
