/**
 * keys — makes an API key of the first tenant without having one: for whoever has lost the first.
 *
 * It opens the database itself, so access to that is what entitles. An embedded database must not be in use; a gateway
 * that runs on it makes keys by the mutation `createApiKey`.
 */
import { createApiKey } from '../actions/create-api-key.ts';
import { type Flags, readSettings } from '../config.ts';
import { migrate } from '../db/migrate.ts';
import { findFirstTenant } from '../db/queries/first-rows.ts';
import { systemClock } from '../domain/clock.ts';
import { API_KEY_SCOPES, type ApiKeyScope } from '../domain/viewer.ts';
import { openDatabase } from '../open-database.ts';
import { reasonOf, StartError } from '../start-error.ts';

export type KeyFlags = Flags & { readonly name?: string; readonly scopes?: string };

/** Prints the key, and nothing else, on standard output. */
export async function runCreateKey(flags: KeyFlags): Promise<void> {
  try {
    const scopes = scopesOf(flags.scopes ?? 'admin');
    const { database, close } = await openDatabase(readSettings(flags));
    try {
      await migrate(database);
      const tenant = await findFirstTenant(database.db);
      if (!tenant)
        throw new StartError('The database is empty: start the gateway once, it makes and prints a first key.');
      const request = { name: flags.name ?? null, scopes, expiresAtMs: null };
      const { text } = await createApiKey({ database, clock: systemClock }, tenant.id, request);
      process.stdout.write(`${text}\n`);
    } finally {
      await close();
    }
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}

function scopesOf(text: string): readonly ApiKeyScope[] {
  return text.split(',').map((word) => {
    const known = API_KEY_SCOPES.find((scope) => scope === word.trim());
    if (known) return known;
    throw new StartError(
      `--scopes names ${JSON.stringify(word)}; allowed are ${API_KEY_SCOPES.join(', ')}, with commas.`,
    );
  });
}
