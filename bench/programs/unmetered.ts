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
  tenantId: tenant.id,
  customerId: customerIdOf(tenant.id, referenceId),
  referenceId,
  featureKey: FEATURE_KEY,
  amount: ONE,
  mode: 'REJECT',
  overrideKey: null,
  idempotencyKey: null,
  properties: null,
});
engine.consume = async () => answer;

await listen(gateway);
