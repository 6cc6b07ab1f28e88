/** customer-mutes — which alerts of a customer are told. */
import { muteAlerts } from '../actions/mute-alerts.ts';
import { unmuteAlerts } from '../actions/unmute-alerts.ts';
import type { Context } from '../context.ts';
import type { ApiKeyViewer } from '../domain/viewer.ts';
import { actingFor, admin } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { CustomerType } from './customer.ts';
import { resultUnion } from './errors.ts';

const MuteAlertsInput = builder.inputType('MuteAlertsInput', {
  description: 'Which alerts are not to be told.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    featureKey: t.string({ description: 'Of which feature; of all when left out.' }),
    until: t.field({
      type: 'DateTime',
      description: 'When they are told again, a later instant than now; not before `unmuteAlerts` when left out.',
    }),
  }),
});

const MuteAlertsResult = resultUnion('MuteAlertsResult', CustomerType, [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'INVALID_INPUT',
]);

const UnmuteAlertsInput = builder.inputType('UnmuteAlertsInput', {
  description: 'Which alerts are to be told again.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    featureKey: t.string({
      description:
        'Lifts what was said of this feature alone; everything, also what was said of all features, when left out.',
    }),
  }),
});

const UnmuteAlertsResult = resultUnion('UnmuteAlertsResult', CustomerType, ['CUSTOMER_NOT_FOUND', 'INVALID_INPUT']);

builder.mutationFields((t) => ({
  muteAlerts: t.field({
    type: MuteAlertsResult.type,
    description:
      'Alerts of the customer are stored and not told, until then. It takes the place of what was said of the same feature before. Scope `admin`.',
    args: { input: t.arg({ type: MuteAlertsInput, required: true, description: 'Whose alerts, and which.' }) },
    resolve: (_root, { input }, context) =>
      MuteAlertsResult.answer(context, async () => {
        const viewer = admin(context);
        const untilMs = input.until ?? null;
        const subject = await subjectOf(context, viewer, input);
        return muteAlerts(context.services, viewer.tenantId, { ...subject, untilMs });
      }),
  }),
  unmuteAlerts: t.field({
    type: UnmuteAlertsResult.type,
    description: 'Alerts of the customer are told again; doing it again changes nothing. Scope `admin`.',
    args: { input: t.arg({ type: UnmuteAlertsInput, required: true, description: 'Whose alerts, and which.' }) },
    resolve: (_root, { input }, context) =>
      UnmuteAlertsResult.answer(context, async () => {
        const viewer = admin(context);
        return unmuteAlerts(context.services, viewer.tenantId, await subjectOf(context, viewer, input));
      }),
  }),
}));

async function subjectOf(context: Context, viewer: ApiKeyViewer, input: typeof UnmuteAlertsInput.$inferInput) {
  const { referenceId } = await actingFor(context, viewer, input.referenceId);
  const featureKey = bounds.isGiven(input.featureKey) ? bounds.key(input.featureKey, ['input', 'featureKey']) : null;
  return { referenceId, featureKey };
}
