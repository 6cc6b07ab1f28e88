/** leashed — runs a program that is not ours, and ends it when the process that measures is gone, however it went. */
import './leash.ts';
import { spawn } from 'node:child_process';

const [, , command = '', ...args] = process.argv;
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => child.kill('SIGTERM'));
