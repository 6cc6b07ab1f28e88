/** node — objects by their global id. */
import type { OwnedGrant } from '../actions/find-grants.ts';
import type { Context } from '../context.ts';
import type { Alert } from '../domain/alert.ts';
import { type ApiKey, isApiKeyId } from '../domain/api-key.ts';
import type { Customer } from '../domain/customer.ts';
import type { UsageEvent } from '../domain/event.ts';
import type { Feature } from '../domain/feature.ts';
import type { Plan } from '../domain/plan.ts';
import type { Viewer } from '../domain/viewer.ts';
import { maySee, reader } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { alerts, apiKeys, catalogOf, customers, events, grants } from './loaders.ts';
import {
  catalogKey,
  decodeNodeId,
  encodeNodeId,
  isNodeType,
  type NodeId,
  type NodeType,
  ownedKey,
  sequencedKey,
  uuidOf,
} from './node-id.ts';
import { planNodeId, visiblePlan } from './visible-plan.ts';

const IDS_MAX = 100;

type NodeValue = Alert | ApiKey | Customer | UsageEvent | Feature | OwnedGrant | Plan;

/** Of which type the objects are that were found by id: domain values don't say. */
const typeOfNode = new WeakMap<object, NodeType>();

export const Node = builder.interfaceRef<object>('Node').implement({
  description: 'An object with a global id.',
  resolveType: (value) => typeOfNode.get(value),
  fields: (t) => ({
    id: t.id({ description: 'Opaque, and unique among all objects.', resolve: notResolvedHere }),
  }),
});

/** Every type that implements the interface has a resolver of its own. */
function notResolvedHere(): never {
  throw new Error('a node type has no id');
}

builder.queryFields((t) => ({
  node: t.field({
    type: Node,
    nullable: true,
    description: 'The object with this id; null where there is none, or it is not yours to see. Scope `read`.',
    args: { id: t.arg.id({ required: true, description: 'The `id` of an object.' }) },
    resolve: (_root, { id }, context) => findNode(context, id),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description: 'The objects with these ids, in their order; null where there is none. Scope `read`.',
    args: { ids: t.arg.idList({ required: true, description: `At most ${IDS_MAX}.` }) },
    resolve: (_root, { ids }, context) => bounds.atMost(ids, ['ids'], IDS_MAX).map((id) => findNode(context, id)),
  }),
}));

async function findNode(context: Context, text: string): Promise<NodeValue | null> {
  const viewer = reader(context);
  const id = decodeNodeId(text);
  if (id === null || !isNodeType(id.type)) return null;
  const value = await FINDERS[id.type](context, id, viewer);
  if (value) typeOfNode.set(value, id.type);
  return value;
}

type Finder = (context: Context, id: NodeId, viewer: Viewer) => Promise<NodeValue | null>;

const FINDERS: Readonly<Record<NodeType, Finder>> = {
  async Customer(context, id, viewer) {
    const customerId = uuidOf(id);
    return customerId && isOwn(viewer, customerId) ? customers(context).load(customerId) : null;
  },
  async Alert(context, id, viewer) {
    const key = sequencedKey(id);
    const alert = key && isOwn(viewer, key.customerId) ? await alerts(context).load(key) : null;
    return alert && maySee(viewer, alert.featureKey) ? alert : null;
  },
  async Event(context, id, viewer) {
    const key = sequencedKey(id);
    const event = key && isOwn(viewer, key.customerId) ? await events(context).load(key) : null;
    return event && maySee(viewer, event.featureKey) ? event : null;
  },
  async ApiKey(context, { parts: [keyId = ''] }, viewer) {
    return viewer.kind === 'api-key' && isApiKeyId(keyId) ? apiKeys(context).load(keyId) : null;
  },
  async Feature(context, id, viewer) {
    const key = catalogKey(id, viewer.tenantId);
    return key && maySee(viewer, key) ? ((await catalogOf(context)).features.get(key) ?? null) : null;
  },
  async Grant(context, id, viewer) {
    const key = ownedKey(id);
    const owned = key && isOwn(viewer, key.customerId) ? await grants(context).load(key) : null;
    return owned && maySee(viewer, owned.grant.featureKey) ? owned : null;
  },
  async Plan(context, id, viewer) {
    const key = catalogKey(id, viewer.tenantId);
    const plan = key === null ? null : await visiblePlan(context, key, versionOf(id));
    // A customer who stayed on an earlier version sees its own alone, which has another id than the newest.
    return plan && (await planNodeId(context, plan)) === encodeNodeId(id.type, ...id.parts) ? plan : null;
  },
};

/** The version that an id of a plan names; null for the plan as it is. */
const versionOf = ({ parts: [, , version] }: NodeId): number | null => (version === undefined ? null : Number(version));

const isOwn = (viewer: Viewer, customerId: string): boolean =>
  viewer.kind === 'api-key' || viewer.customerId === customerId;
