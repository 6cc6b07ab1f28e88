/**
 * constant — the ceiling of the door: the same gateway, document, plugins, limits and authentication, with our resolvers
 * taken out of the schema and one constant put at its root, whose fields graphql-js reads by itself.
 */
import './leash.ts';
import { isAbstractType, isObjectType, isScalarType, isSpecifiedScalarType } from 'graphql';
import { schema } from '../../server/schema/index.ts';
import { createGateway, listen, openDatabase } from './parts.ts';

const ANSWER = {
  __typename: 'Consumption',
  allowed: true,
  denial: null,
  usage: { used: '12345', limit: '1000000000', remaining: '999987655' },
};

for (const type of Object.values(schema.getTypeMap())) {
  if (isAbstractType(type)) type.resolveType = null; // `__typename` tells
  if (isScalarType(type) && !isSpecifiedScalarType(type)) type.serialize = (value) => value;
  if (!isObjectType(type)) continue;
  type.isTypeOf = null;
  for (const field of Object.values(type.getFields())) delete field.resolve;
}
const consume = schema.getMutationType()?.getFields().consume;
if (!consume) throw new Error('the schema has no mutation "consume"');
consume.resolve = () => ANSWER;

await listen(await createGateway(openDatabase()));
