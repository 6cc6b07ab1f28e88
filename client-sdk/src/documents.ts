/** documents — every operation the SDK sends, in one place. */
import { ALERT, MONEY, USAGE } from './fields.ts';
import { graphql } from './graphql.ts';

const USER_ERROR = '... on UserError { message code path }';
const CONSUME_RESULT = `{
  __typename
  ... on Consumption {
    allowed denial { reason message retryAt } amount
    split { included credits wallet overage walletCharge ${MONEY} overageCost ${MONEY} }
    usage ${USAGE} alerts ${ALERT} replayed
  }
  ${USER_ERROR}
}` as const;

export const RegisterCustomer = graphql(`mutation RegisterCustomer($input: RegisterCustomerInput!) {
  registerCustomer(input: $input) {
    __typename
    ... on Customer { id referenceId referenceType name email planKey timeZone createdAt }
    ${USER_ERROR}
  }
}`);

export const Consume = graphql(`mutation Consume($input: ConsumeInput!) { consume(input: $input) ${CONSUME_RESULT} }`);

export const ConsumeMany = graphql(`mutation ConsumeMany($input: ConsumeManyInput!) {
  consumeMany(input: $input) {
    __typename
    ... on ConsumeManyPayload { results ${CONSUME_RESULT} }
    ${USER_ERROR}
  }
}`);

export const Check = graphql(`query Check($input: ConsumeInput!) { check(input: $input) ${CONSUME_RESULT} }`);

export const ReadUsage = graphql(`query Usage($referenceId: String, $featureKey: String!) {
  usage(referenceId: $referenceId, featureKey: $featureKey) ${USAGE}
}`);

export const CreateCustomerToken = graphql(`mutation CreateCustomerToken($input: CreateCustomerTokenInput!) {
  createCustomerToken(input: $input) {
    __typename
    ... on CustomerToken { token expiresAt }
    ${USER_ERROR}
  }
}`);
