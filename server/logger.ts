/** logger — one JSON line an event on stderr; standard output is for people. No line carries a secret. */
import { type Logger, pino } from 'pino';
import type { Settings } from './config.ts';
import { errorTold } from './error-told.ts';

/** @param write Where the lines go; each ends with a newline. */
export function createLogger(level: Settings['logLevel'], write: (line: string) => void = writeToStderr): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorTold },
      redact: { paths: SECRET_FIELDS, censor: CENSORED },
    },
    { write: (line) => write(withoutSecrets(line)) },
  );
}

const CENSORED = '[secret]';

const SECRET_FIELDS = ['authorization', 'password', 'secret', 'client_secret', 'token', 'cookie'].flatMap((field) => [
  field,
  `*.${field}`,
  `*.*.${field}`,
]);

/**
 * Wherever in a line they are: our keys but for their id, customer tokens, passwords in URLs; Stripe's keys, and the secrets
 * of its endpoints and payments.
 */
const withoutSecrets = (line: string): string =>
  line
    .replace(/\b(mg_(?:live|test)_[0-9A-Za-z]{8})_[0-9A-Za-z]{32}\b/g, `$1_${CENSORED}`)
    .replace(/\b((?:sk|rk)_(?:live|test))_[0-9A-Za-z]{8,}/g, `$1_${CENSORED}`)
    .replace(/\bwhsec_[0-9A-Za-z+/=]{8,}/g, `whsec_${CENSORED}`)
    .replace(/\b([a-z]+_[0-9A-Za-z]+)_secret_[0-9A-Za-z]+/g, `$1_secret_${CENSORED}`)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, CENSORED)
    .replace(/(\b[a-z][a-z+]*:\/\/[^\s:/@"]*):[^\s@"]+@/g, `$1:${CENSORED}@`);

/** Synchronous, so that the last line before an exit is not lost. */
const stderr = pino.destination({ dest: 2, sync: true });
const writeToStderr = (line: string): void => {
  stderr.write(line);
};
