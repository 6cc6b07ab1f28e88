/**
 * constant — the ceiling of the door: the same gateway, document, plugins, limits and authentication, with our resolvers
 * taken out of the schema and one constant put at its root.
 */
import './leash.ts';
import './constant-schema.ts';
import { createGateway, listen, openDatabase } from './parts.ts';

await listen(await createGateway(openDatabase()));
