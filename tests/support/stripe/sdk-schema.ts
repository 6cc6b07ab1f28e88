/**
 * sdk-schema — what the installed SDK says of the operations and objects that the fake knows. Reading the SDK's
 * declarations takes some seconds, so what came out is kept until the SDK, the converter or the list changes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { type SdkSchema, schemaFromSdk, type Wanted } from './schema-from-sdk.ts';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/metergraph', import.meta.url));
const CONVERTER = fileURLToPath(new URL('./schema-from-sdk.ts', import.meta.url));

const inMemory = new Map<string, SdkSchema>();

export function sdkSchema(wanted: Wanted): SdkSchema {
  const key = fingerprint(wanted);
  const file = join(CACHE, `stripe-schema-${key}.json`);
  const schema = inMemory.get(key) ?? kept(file) ?? keep(file, schemaFromSdk(wanted));
  inMemory.set(key, schema);
  return schema;
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
