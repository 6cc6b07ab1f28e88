/**
 * types — what goes in and comes out of the SDK, as `schema.graphql` says it, in plain shapes.
 *
 * Two conventions hold everywhere. Quantities and money are exact decimals and stay **strings** (`'12.5'`): put them
 * through a decimal library or `BigInt`, never through `Number`, when they are billed. Instants are ISO 8601 strings.
 */
export type * from './consume-types.ts';
export type * from './customer-types.ts';
export type * from './live-types.ts';
export type * from './option-types.ts';
export type * from './usage-types.ts';
export type * from './value-types.ts';
