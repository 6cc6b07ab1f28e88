/**
 * constant — the ceiling of the door: the same types, document, plugins, limits and authentication, and a root resolver
 * that returns one constant. graphql-js reads its fields by itself; none of our resolvers runs.
 */
import './leash.ts';
import { createServer } from 'node:http';
import { buildSchema, printSchema } from 'graphql';
import { ApiKeys } from '../../server/auth/api-keys.ts';
import { createAuthenticate } from '../../server/auth/authenticate.ts';
import { systemClock as clock } from '../../server/domain/clock.ts';
import { createGraphQLServer } from '../../server/graphql-server.ts';
import { createHttpHandler } from '../../server/http.ts';
import { schema as ownSchema } from '../../server/schema/index.ts';
import { createGateway, onBug, openDatabase } from './parts.ts';
import { tellUrl } from './tell-url.ts';

const ANSWER = {
  __typename: 'Consumption',
  allowed: true,
  denial: null,
  usage: { used: '12345', limit: '1000000000', remaining: '999987655' },
};

const schema = buildSchema(printSchema(ownSchema));
const consume = schema.getMutationType()?.getFields().consume;
if (!consume) throw new Error('the schema has no mutation "consume"');
consume.resolve = () => ANSWER;

const { services, metrics } = await createGateway(openDatabase());
const { database, tokenSecret } = services;
const authenticate = createAuthenticate(new ApiKeys(database.query, clock), tokenSecret, clock);
const graphql = createGraphQLServer({ schema, services, authenticate, corsOrigins: [], onBug });
const readiness = async () => ({ ready: true, checks: {} });
const handle = createHttpHandler({ graphql, metrics, readiness, livePage: () => ({ demoKey: null }) });
tellUrl(createServer((request, response) => void handle(request, response)));
