/** ledger — what moved between the accounts of a customer: what paid for an event, where a grant went. */
import { type Entry, listEntries, listGrantLines, type PostedLine } from '../actions/find-ledger.ts';
import type { Context } from '../context.ts';
import type { UsageEvent } from '../domain/event.ts';
import type { Account, EntryKind } from '../domain/posting.ts';
import { anyone, maySee, reader, visibleFeatures } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { CustomerType } from './customer.ts';
import { EventType } from './event.ts';
import { onceKnownFeature } from './existing.ts';
import { GrantType } from './grant.ts';
import { events, grants, postedLines } from './loaders.ts';
import type { SequencedKey } from './node-id.ts';

const EntryKindEnum = wordEnum<EntryKind>('LedgerEntryKind', 'What moved units or money.', {
  use: 'Something was used, or given back.',
  hold: 'Units were reserved.',
  commit: 'What was reserved was used. Where less was, the lines of the rest are `RELEASE`.',
  release:
    'What was reserved was given back: the reservation was released, or committed with less, and this is the rest.',
  expiry: 'A reservation expired.',
  reversal: 'An event was taken back.',
  grant: 'Credits were given.',
  renewal: 'A period of credits turned: they were given, rolled over, or lost.',
  void: 'A grant was taken away.',
  lost: 'Credits were given back to a grant that is gone, or to a plan’s allocation that gives less now.',
  top_up: 'Money was put into a wallet.',
  refund: 'Money of a wallet was paid back.',
});

const AccountEnum = wordEnum<Account>('LedgerAccount', 'Where units and money are, come from and go to.', {
  grant: 'A grant: `grant` says which.',
  wallet: 'The wallet of the currency.',
  held: 'What reservations hold until it is used or given back.',
  usage: 'What was used.',
  issued: 'Where credits come from.',
  expired: 'Credits whose time was over.',
  voided: 'Credits of grants that were taken away.',
  withdrawn: 'Credits that a changed plan took back.',
  rolled_over: 'Credits on their way from one period to the next.',
  top_up: 'Where the money of a wallet comes from.',
  refund: 'Money that was paid back.',
});

async function eventAt({ customerId, sequence }: SequencedKey, context: Context): Promise<UsageEvent | null> {
  const event = await events(context).load({ customerId, sequence });
  return event && maySee(anyone(context), event.featureKey) ? event : null;
}

const PostingType = builder.objectRef<PostedLine>('Posting').implement({
  description: 'One line of an entry: so much of a commodity came to an account, or left it.',
  fields: (t) => ({
    account: t.expose('account', { type: AccountEnum, description: 'Which account.' }),
    grant: t.field({
      type: GrantType,
      nullable: true,
      description: 'The grant itself, or the one that these units were used or held from. Null for all others.',
      resolve: ({ customerId, grantId }, _args, context) =>
        grantId === null ? null : grants(context).load({ customerId, id: grantId }),
    }),
    commodity: t.exposeString('commodity', { description: "A feature's key for units, a currency for money." }),
    featureKey: t.exposeString('featureKey', {
      nullable: true,
      description: 'Which feature it is about. Null for money that was put in or paid back.',
    }),
    amount: t.expose('amount', {
      type: 'Decimal',
      description: 'Units, or minor units of money. Above 0 came to the account, below 0 left it.',
    }),
    kind: t.expose('kind', { type: EntryKindEnum, description: 'What moved it.' }),
    event: t.field({
      type: EventType,
      nullable: true,
      description: 'The use that moved it. Null where none did.',
      resolve: (line, _args, context) => eventAt(line, context),
    }),
    recordedAt: t.expose('recordedAtMs', { type: 'DateTime', description: 'When it moved.' }),
  }),
});

const PostingConnection = connectionType(PostingType);

const LedgerEntryType = builder.objectRef<Entry>('LedgerEntry').implement({
  description: 'What moved at once between the accounts of a customer.',
  fields: (t) => ({
    sequence: t.string({
      description: 'Its place among all that happened to the customer: a whole number that only grows.',
      resolve: ({ sequence }) => sequence.toString(),
    }),
    kind: t.expose('kind', {
      type: EntryKindEnum,
      description:
        'What happened; of several things the first. A commit of less is `COMMIT`, or `RELEASE` where nothing prepaid was used: its event is a commit either way.',
    }),
    recordedAt: t.expose('recordedAtMs', { type: 'DateTime', description: 'When it was recorded.' }),
    event: t.field({
      type: EventType,
      nullable: true,
      description: 'The use that moved it. Null where none did.',
      resolve: (entry, _args, context) => eventAt(entry, context),
    }),
    postings: t.field({
      type: [PostingType],
      description: 'The lines; they sum to zero in each commodity.',
      resolve: ({ lines }) => [...lines],
    }),
  }),
});

const LedgerEntryConnection = connectionType(LedgerEntryType);

const SEQUENCE = /^\d{1,18}$/;

builder.objectField(CustomerType, 'ledger', (t) =>
  t.field({
    type: LedgerEntryConnection,
    description:
      'What moved between its accounts, newest first. With a token for some features: only what is about them. Scope `read`, or a customer token.',
    args: { ...pageArgs, featureKey: t.arg.string({ description: 'About which feature; everything when left out.' }) },
    resolve: async ({ id: customerId, tenantId }, { featureKey, ...page }, context) => {
      const viewer = reader(context);
      const only = await onceKnownFeature(context, featureKey);
      const filter = { customerId, featureKeys: only === null ? visibleFeatures(viewer) : [only] };
      const order = {
        list: `ledger ${customerId}`,
        tenantId,
        positionOf: ({ sequence }: Entry) => [`${sequence}`],
        shape: [SEQUENCE],
        parse: ([sequence = '0']: readonly string[]) => BigInt(sequence),
      };
      return connectionOf(page, order, (request) => listEntries(context.services, tenantId, filter, request));
    },
  }),
);

builder.objectField(EventType, 'postings', (t) =>
  t.field({
    type: [PostingType],
    description: 'What of grants and wallet paid for it. Scope `read`, or a customer token.',
    resolve: async (event, _args, context) => visibleLines(await postedLines(context).load(event), context),
  }),
);

/** An event is about one feature; whoever sees it sees what paid for it. */
function visibleLines(lines: readonly PostedLine[], context: Context): PostedLine[] {
  const viewer = reader(context);
  return lines.filter(({ featureKey }) => featureKey === null || maySee(viewer, featureKey));
}

builder.objectField(GrantType, 'postings', (t) =>
  t.field({
    type: PostingConnection,
    description:
      'Where it went: every line that names it, newest first. Those of the account `GRANT` sum up to what remains. Scope `read`, or a customer token.',
    args: pageArgs,
    resolve: async ({ customerId, grant }, page, context) => {
      const { tenantId } = reader(context);
      const order = {
        list: `postings ${grant.id}`,
        tenantId,
        positionOf: ({ sequence, line }: PostedLine) => [`${sequence}`, `${line}`],
        shape: [SEQUENCE, /^\d{1,9}$/],
        parse: ([sequence = '0', line = '0']: readonly string[]) => ({
          sequence: BigInt(sequence),
          line: Number(line),
        }),
      };
      const of = { customerId, grantId: grant.id };
      return connectionOf(page, order, (request) => listGrantLines(context.services, tenantId, of, request));
    },
  }),
);
