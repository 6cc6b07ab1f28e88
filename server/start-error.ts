/** start-error — a reason not to start that is no bug: told in a sentence, without a stack. */

import { StripeSyncError } from './billing/stripe/catalog/sync-error.ts';
import { SettingsError } from './config.ts';
import { ConfigError } from './config-problems.ts';
import { DataFolderInUseError } from './db/folder-lock.ts';
import { NewerDatabaseError } from './db/migrate.ts';
import { MeterError } from './domain/errors.ts';

export class StartError extends Error {
  override readonly name = 'StartError';
}

const TOLD = [
  StartError,
  SettingsError,
  ConfigError,
  DataFolderInUseError,
  NewerDatabaseError,
  MeterError,
  StripeSyncError,
];

/** What to print of an error that ended the start: a sentence where it is the user's to mend, else all we know. */
export function reasonOf(error: unknown): string {
  if (TOLD.some((known) => error instanceof known) && error instanceof Error) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
