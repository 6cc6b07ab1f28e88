/** port — where to listen: exactly there, or at the next free port from 4000 on. */
import { createServer } from 'node:net';
import { DEFAULT_PORT } from './config.ts';
import { StartError } from './start-error.ts';

const PORTS_TRIED = 100;

/**
 * @param wanted Exactly this one (0: any that is free); null for the first free one.
 * @throws {StartError} when it is taken, or may not be used.
 */
export async function findPort(host: string, wanted: number | null): Promise<number> {
  if (wanted !== null) {
    const refusal = await refusalOf(host, wanted);
    if (refusal === null) return wanted;
    throw new StartError(`${sentenceOf(refusal, host, wanted)} Choose another with PORT or --port, or set none.`);
  }
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + PORTS_TRIED; port++) {
    const refusal = await refusalOf(host, port);
    if (refusal === null) return port;
    if (refusal.code !== 'EADDRINUSE') throw new StartError(sentenceOf(refusal, host, port));
  }
  throw new StartError(`Ports ${DEFAULT_PORT} to ${DEFAULT_PORT + PORTS_TRIED - 1} of ${host} are all in use.`);
}

/** Why one can't listen there; null when one can. */
function refusalOf(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
}

function sentenceOf({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is in use by another process.`;
    case 'EACCES':
      return `Port ${port} of ${host} may not be used by this user.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine; set HOST or --host to one.`;
    default:
      return `Listening at port ${port} of ${host} failed: ${message}.`;
  }
}
