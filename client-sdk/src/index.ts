/** `@metergraph/client-sdk`: typed client of a Metergraph gateway, in Node and browsers. */
export { createMetergraphClient, type MetergraphClient } from './client.ts';
export { MetergraphError, type MetergraphErrorCode, type MetergraphErrorDetails } from './errors.ts';
export { createMetergraphRealtime, type MetergraphRealtime } from './realtime.ts';
export type * from './types.ts';
export type * from './write-types.ts';
export type { MetergraphWrites } from './writes.ts';
