/** customer-plan — puts a customer on another plan. */
import { setCustomerPlan } from '../actions/set-customer-plan.ts';
import { actingFor, admin } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { CustomerType } from './customer.ts';
import { resultUnion } from './errors.ts';

const PlanChangeEnum = wordEnum('PlanChange', 'When another plan takes effect.', {
  immediately: 'From the next call on. What was used in the running periods stays used.',
  at_renewal:
    'When the billing period ends: it is counted from `anchorAt`, by the interval of the first base price of the plan that the customer has, or by the month without one.',
});

const SetCustomerPlanInput = builder.inputType('SetCustomerPlanInput', {
  description: 'Which plan a customer changes to.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    planKey: t.string({
      required: true,
      description: 'Key of the plan, whose newest version the customer gets; that of the plan it has, too.',
    }),
    effective: t.field({
      type: PlanChangeEnum,
      description:
        'When it takes effect. Left out: a downgrade, to a plan whose first base price is lower by the month, at renewal; any other at once, also one that has no price in the same currency to compare.',
    }),
  }),
});

const SetCustomerPlanResult = resultUnion('SetCustomerPlanResult', CustomerType, [
  'CUSTOMER_NOT_FOUND',
  'PLAN_NOT_FOUND',
  'INVALID_INPUT',
]);

builder.mutationField('setCustomerPlan', (t) =>
  t.field({
    type: SetCustomerPlanResult.type,
    description:
      'Puts a customer on another plan, or on the newest version of its own, and calls off a change that was pending. Scope `admin`.',
    args: { input: t.arg({ type: SetCustomerPlanInput, required: true, description: 'Whose plan, and which.' }) },
    resolve: (_root, { input }, context) =>
      SetCustomerPlanResult.answer(context, async () => {
        const viewer = admin(context);
        const { referenceId } = await actingFor(context, viewer, input.referenceId);
        const planKey = bounds.key(input.planKey, ['input', 'planKey']);
        const effective = input.effective ?? null;
        return setCustomerPlan(context.services, viewer.tenantId, { referenceId, planKey, effective });
      }),
  }),
);
