/** start — the command that runs a gateway until it is told to stop. */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Logger } from 'pino';
import { type Flags, readSettings } from '../config.ts';
import { createLogger } from '../logger.ts';
import { type Started, start } from '../start.ts';
import { reasonOf } from '../start-error.ts';
import { banner } from './banner.ts';

/** A little less than the ten seconds after which orchestrators kill. */
const CLOSE_WITHIN_MS = 9_000;

export async function runStart(flags: Flags): Promise<void> {
  try {
    const settings = readSettings(flags);
    const logger = createLogger(settings.logLevel);
    const started = await start(settings, logger);
    process.stdout.write(banner(started, boldOn(process.stdout)));
    stopOnSignals(started, logger);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(1);
  }
}

/** The first signal closes in order; a second one doesn't wait for that. */
function stopOnSignals(started: Started, logger: Logger): void {
  const stop = (signal: NodeJS.Signals) => {
    for (const one of ['SIGTERM', 'SIGINT'] as const) process.off(one, stop).once(one, () => process.exit(1));
    logger.info({ signal }, 'stopping');
    const deadline = setTimeout(() => {
      logger.warn('not everything could be closed in time; what was acknowledged is stored');
      process.exit(0);
    }, CLOSE_WITHIN_MS);
    started.close().then(
      () => {
        clearTimeout(deadline);
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

function boldOn(stream: Writable): (text: string) => string {
  const hasColors = 'hasColors' in stream && typeof stream.hasColors === 'function' && stream.hasColors() === true;
  return (text) => (hasColors ? styleText('bold', text) : text);
}
