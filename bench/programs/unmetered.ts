/**
 * unmetered — the gateway without metering: our schema and resolvers on an engine that gives one real answer for ever.
 * Between the constant resolver and this lies the schema; between this and the gateway, the engine and the database.
 */
import './leash.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { ONE } from '../../server/domain/units.ts';
import { FEATURE_KEY, referenceOf } from '../catalog.ts';
import { createGateway, listen, openDatabase } from './parts.ts';

const database = openDatabase();
const gateway = await createGateway(database);
const { engine } = gateway.services;

const [tenant] = await database.query<{ id: string }>({ text: 'SELECT id FROM tenants', params: [] });
if (!tenant) throw new Error('the database has no tenant');
const referenceId = referenceOf(0);
const answer = await engine.check({
  kind: 'consume',
  purpose: 'use',
  tenantId: tenant.id,
  customerId: customerIdOf(tenant.id, referenceId),
  referenceId,
  featureKey: FEATURE_KEY,
  amount: ONE,
  duration: null,
  mode: 'REJECT',
  overrideKey: null,
  entityId: null,
  occurredAtMs: null,
  idempotencyKey: null,
  properties: null,
  refusal: null,
});
// Whatever is asked: the bench asks for nothing but consumes, and those are answered like this one.
engine.execute = async () => answer as never;

await listen(gateway);
