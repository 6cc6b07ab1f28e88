/**
 * sdk-schema — what the installed SDK says of the operations and objects that the fake knows. Reading the SDK's
 * declarations takes some seconds, so what came out is kept until the SDK, the converter or the list changes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import type { SdkSchema, Wanted } from './schema-from-sdk.ts';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/metergraph', import.meta.url));
const CONVERTER = fileURLToPath(new URL('./schema-from-sdk.ts', import.meta.url));

const inMemory = new Map<string, SdkSchema>();

export async function sdkSchema(wanted: Wanted): Promise<SdkSchema> {
  const key = fingerprint(wanted);
  const file = join(CACHE, `stripe-schema-${key}.json`);
  const schema = inMemory.get(key) ?? kept(file) ?? keep(file, await made(wanted));
  inMemory.set(key, schema);
  return schema;
}

/** The compiler of TypeScript is only loaded where there is something to read by it. */
async function made(wanted: Wanted): Promise<SdkSchema> {
  const { schemaFromSdk } = await import('./schema-from-sdk.ts');
  return schemaFromSdk(wanted);
}

function fingerprint(wanted: Wanted): string {
  const parts = [Stripe.PACKAGE_VERSION, readFileSync(CONVERTER, 'utf8'), JSON.stringify(wanted)];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

function kept(file: string): SdkSchema | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SdkSchema; // written by us, below
  } catch {
    return undefined; // nobody has asked yet
  }
}

/** In one step, for another process may be reading. */
function keep(file: string, schema: SdkSchema): SdkSchema {
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(schema));
  renameSync(unfinished, file);
  return schema;
}
