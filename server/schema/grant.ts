/** grant — prepaid units of a feature. */
import { listGrants, type OwnedGrant } from '../actions/find-grants.ts';
import type { Context } from '../context.ts';
import type { Grant, GrantSource, GrantState, Renewal } from '../domain/grant.ts';
import { reader, visibleFeatures } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { OnRenewalEnum, RolloverType } from './credit-rule.ts';
import { CustomerType } from './customer.ts';
import { onceKnownFeature } from './existing.ts';
import { customers, metersOf } from './loaders.ts';
import { Node } from './node.ts';
import { encodeNodeId } from './node-id.ts';
import { IntervalType, partsOf, ResetEnum, resetWordOf } from './period.ts';
import { UsageType } from './usage.ts';

export const GrantSourceEnum = wordEnum<GrantSource>('GrantSource', 'Where prepaid units come from.', {
  plan: 'The plan allocates them.',
  purchase: 'They were bought. A change of plan leaves them alone.',
  promotion: 'They are a gift.',
  adjustment: 'They make up for something.',
});

const GrantStateEnum = wordEnum<GrantState>('GrantState', 'Whether a grant can be drawn from.', {
  pending: 'It becomes effective later.',
  live: 'It can be drawn from.',
  spent: 'Nothing is left; what is given back revives it.',
  expired: 'Its time is over. What was left is lost, or has rolled over.',
  voided: 'It was taken away.',
});

const RenewalType = builder.objectRef<Renewal>('Renewal').implement({
  description: 'How a grant comes again.',
  fields: (t) => ({
    reset: t.field({ type: ResetEnum, description: 'When.', resolve: ({ reset }) => resetWordOf(reset) }),
    resetInterval: t.field({
      type: IntervalType,
      nullable: true,
      description: 'How long an `INTERVAL` is. Null for every other `reset`.',
      resolve: ({ reset }) => partsOf(reset),
    }),
    onRenewal: t.field({
      type: OnRenewalEnum,
      description: 'What becomes of unused units then.',
      resolve: ({ onRenewal }) => (typeof onRenewal === 'string' ? onRenewal : 'rollover'),
    }),
    rollover: t.field({
      type: RolloverType,
      nullable: true,
      description: 'How far unused units roll over. Null: they do not.',
      resolve: ({ onRenewal }) => (typeof onRenewal === 'string' ? null : onRenewal),
    }),
    amount: t.expose('amount', { type: 'Decimal', description: 'Units given each time.' }),
    until: t.expose('untilMs', {
      type: 'DateTime',
      nullable: true,
      description: 'Where the repetition ends: nothing of it lives on. Null: it does not.',
    }),
  }),
});

/** Time passes before anybody sees to it: a grant that is over is so for whoever looks. */
function stateAt({ state, effectiveFromMs, expiresAtMs }: Grant, nowMs: number): GrantState {
  if (state !== 'live' && state !== 'pending') return state;
  if (expiresAtMs !== null && expiresAtMs <= nowMs) return 'expired';
  return effectiveFromMs <= nowMs ? 'live' : 'pending';
}

const stateNow = ({ grant }: OwnedGrant, { services }: Context): GrantState => stateAt(grant, services.clock.now());

export const GrantType = builder.objectRef<OwnedGrant>('Grant').implement({
  description:
    'Prepaid units of a feature (credits). They burn by priority, then the soonest to expire, then the oldest.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ customerId, grant }) => grantNodeId(customerId, grant.id),
    }),
    referenceId: t.string({
      description: "The app's own id of the customer.",
      resolve: async ({ customerId }, _args, context) => {
        const customer = await customers(context).load(customerId);
        if (customer) return customer.referenceId;
        throw new Error('a grant has no customer'); // customers are never deleted
      },
    }),
    featureKey: t.string({ description: 'Key of the feature.', resolve: ({ grant }) => grant.featureKey }),
    source: t.field({
      type: GrantSourceEnum,
      description: 'Where it comes from.',
      resolve: ({ grant }) => grant.source,
    }),
    amount: t.field({ type: 'Decimal', description: 'Units given.', resolve: ({ grant }) => grant.amount }),
    remaining: t.field({
      type: 'Decimal',
      description: 'Units left.',
      resolve: (owned, _args, context) => (stateNow(owned, context) === 'expired' ? 0n : owned.grant.remaining),
    }),
    priority: t.int({ description: 'Lower burns first.', resolve: ({ grant }) => grant.priority }),
    effectiveFrom: t.field({
      type: 'DateTime',
      description: 'From when it can be drawn from.',
      resolve: ({ grant }) => grant.effectiveFromMs,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'What is left then is lost, or rolls over. Null: never.',
      resolve: ({ grant }) => grant.expiresAtMs,
    }),
    state: t.field({
      type: GrantStateEnum,
      description: 'Whether it can be drawn from now.',
      resolve: (owned, _args, context) => stateNow(owned, context),
    }),
    renewal: t.field({
      type: RenewalType,
      nullable: true,
      description: 'How it comes again. Null for one that comes once, and for what rolled over.',
      resolve: ({ grant }) => grant.renewal,
    }),
    renewsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the next one comes. Null: none does, or it has come.',
      resolve: ({ grant }) => grant.renewsAtMs,
    }),
    originId: t.id({
      nullable: true,
      description: 'The `id` of the grant that this one came of, by renewal or rollover: the first of them. Else null.',
      resolve: ({ customerId, grant }) => grant.originId && grantNodeId(customerId, grant.originId),
    }),
    rolledOver: t.boolean({
      description: 'Whether it holds what another left over.',
      resolve: ({ grant }) => grant.rolledOver,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was given.',
      resolve: ({ grant }) => grant.createdAtMs,
    }),
    usage: t.field({
      type: UsageType,
      nullable: true,
      description: 'The meter that it pays for, as it stands. Scope `read`, or a customer token.',
      resolve: async ({ customerId, grant }, _args, context) => {
        reader(context);
        return (await metersOf(context, customerId, [grant.featureKey]))?.[0]?.usage;
      },
    }),
  }),
});

const grantNodeId = (customerId: string, id: string): string => encodeNodeId('Grant', customerId, id);

const GrantConnection = connectionType(GrantType);

builder.objectField(CustomerType, 'grants', (t) =>
  t.field({
    type: GrantConnection,
    description: 'Its grants, newest first, those that are over too. Scope `read`, or a customer token.',
    args: { ...pageArgs, featureKey: t.arg.string({ description: 'Of which feature; all when left out.' }) },
    resolve: async ({ id: customerId, tenantId }, { featureKey, ...page }, context) => {
      const viewer = reader(context);
      const only = await onceKnownFeature(context, featureKey);
      const filter = { customerId, featureKeys: only === null ? visibleFeatures(viewer) : [only] };
      return connectionOf(page, { ...BY_CREATION, list: `grants ${customerId}`, tenantId }, async (request) => {
        const { nodes, hasNextPage } = await listGrants(context.services, tenantId, filter, request);
        return { nodes: nodes.map((grant) => ({ customerId, grant })), hasNextPage };
      });
    },
  }),
);

const BY_CREATION = {
  positionOf: ({ grant }: OwnedGrant) => [`${grant.createdAtMs}`, grant.id],
  shape: [/^\d{1,15}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  parse: ([createdAtMs = '0', id = '']: readonly string[]) => ({ createdAtMs: Number(createdAtMs), id }),
};
