/** top-up-request — what wallets ask for, for the biller that charges it. */
import { listTopUpRequests, type TopUpRequest, type TopUpState } from '../actions/find-top-up-requests.ts';
import { admin } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { MoneyType } from './money.ts';

const TopUpStateEnum = wordEnum<TopUpState>('TopUpState', 'What became of a top-up that a wallet asked for.', {
  asked: 'Nothing yet: charge it, then tell the outcome with `settleTopUp`.',
  paid: 'It was paid: the money is in the wallet.',
  failed: 'It failed: if the wallet still is low when the cool-off is over, it asks again.',
});

const TopUpRequestType = builder.objectRef<TopUpRequest>('TopUpRequest').implement({
  description: "Money that a customer's wallet asked for when it ran low, by the rule of its plan.",
  fields: (t) => ({
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    amount: t.field({
      type: MoneyType,
      description: 'How much to charge; once it is paid, so much is put into the wallet of this currency.',
      resolve: ({ amount, currency }) => ({ amount, currency }),
    }),
    state: t.expose('state', { type: TopUpStateEnum, description: 'What became of it.' }),
    askedAt: t.expose('askedAtMs', { type: 'DateTime', description: 'When the wallet ran low.' }),
    settledAt: t.expose('settledAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was paid, or failed. Null until then.',
    }),
  }),
});

const TopUpRequestConnection = connectionType(TopUpRequestType);

builder.queryField('topUpRequests', (t) =>
  t.field({
    type: TopUpRequestConnection,
    description:
      "For billers: what the wallets of all the tenant's customers asked for, the oldest first. A wallet asks for one top-up at a time. Scope `admin`.",
    args: {
      ...pageArgs,
      state: t.arg({ type: TopUpStateEnum, description: 'Only those in this state; all when left out.' }),
    },
    resolve: (_root, { state, ...page }, context) => {
      const { tenantId } = admin(context);
      const order = { ...BY_TIME, list: 'top-ups', tenantId };
      return connectionOf(page, order, (request) =>
        listTopUpRequests(context.services, tenantId, state ?? null, request),
      );
    },
  }),
);

const BY_TIME = {
  positionOf: ({ askedAtMs, customerId, sequence }: TopUpRequest) => [`${askedAtMs}`, customerId, `${sequence}`],
  shape: [/^\d{1,14}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, /^\d{1,18}$/],
  parse: ([askedAtMs = '0', customerId = '', sequence = '0']: readonly string[]) => ({
    askedAtMs: Number(askedAtMs),
    customerId,
    sequence: BigInt(sequence),
  }),
};
