/** documents — every operation the SDK sends, in one place. */
import { ALERT, GRANT, SPLIT, USAGE, WALLET } from './fields.ts';
import { graphql } from './graphql.ts';

const USER_ERROR = '... on UserError { message code path }';
const CONSUME_RESULT = `{
  __typename
  ... on Consumption {
    allowed denial { reason message retryAt } amount
    split ${SPLIT}
    usage ${USAGE} alerts ${ALERT} replayed
  }
  ${USER_ERROR}
}` as const;

const RESERVE_RESULT = `{
  __typename
  ... on Reservation {
    id referenceId featureKey entityId allowed denial { reason message retryAt } amount split ${SPLIT}
    usage ${USAGE} state committedAmount createdAt expiresAt closedAt replayed
  }
  ${USER_ERROR}
}` as const;
const GRANT_RESULT = `{ __typename ... on Grant ${GRANT} ${USER_ERROR} }` as const;
const WALLET_RESULT = `{ __typename ... on Wallet ${WALLET} ${USER_ERROR} }` as const;

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

export const RecordUsage = graphql(`mutation RecordUsage($input: RecordUsageInput!) {
  recordUsage(input: $input) ${CONSUME_RESULT}
}`);

export const Reserve = graphql(`mutation Reserve($input: ReserveInput!) { reserve(input: $input) ${RESERVE_RESULT} }`);

export const CommitReservation = graphql(`mutation CommitReservation($input: CommitReservationInput!) {
  commitReservation(input: $input) ${CONSUME_RESULT}
}`);

export const ReleaseReservation = graphql(`mutation ReleaseReservation($input: ReleaseReservationInput!) {
  releaseReservation(input: $input) ${RESERVE_RESULT}
}`);

export const GrantCredits = graphql(`mutation GrantCredits($input: GrantCreditsInput!) {
  grantCredits(input: $input) ${GRANT_RESULT}
}`);

export const VoidGrant = graphql(`mutation VoidGrant($input: VoidGrantInput!) {
  voidGrant(input: $input) ${GRANT_RESULT}
}`);

export const TopUpWallet = graphql(`mutation TopUpWallet($input: TopUpWalletInput!) {
  topUpWallet(input: $input) ${WALLET_RESULT}
}`);

export const RefundWallet = graphql(`mutation RefundWallet($input: RefundWalletInput!) {
  refundWallet(input: $input) ${WALLET_RESULT}
}`);

export const SetWallet = graphql(`mutation SetWallet($input: SetWalletInput!) {
  setWallet(input: $input) ${WALLET_RESULT}
}`);

export const SettleTopUp = graphql(`mutation SettleTopUp($input: SettleTopUpInput!) {
  settleTopUp(input: $input) ${WALLET_RESULT}
}`);

export const CreateCheckoutSession = graphql(`mutation CreateCheckoutSession($input: CreateCheckoutSessionInput!) {
  createCheckoutSession(input: $input) { __typename ... on CheckoutSession { id url expiresAt } ${USER_ERROR} }
}`);

export const CreatePortalSession = graphql(`mutation CreatePortalSession($input: CreatePortalSessionInput!) {
  createPortalSession(input: $input) { __typename ... on PortalSession { url } ${USER_ERROR} }
}`);

export const ReverseEvent = graphql(`mutation ReverseEvent($input: ReverseEventInput!) {
  reverseEvent(input: $input) ${CONSUME_RESULT}
}`);

export const ResetUsage = graphql(`mutation ResetUsage($input: ResetUsageInput!) {
  resetUsage(input: $input) {
    __typename
    ... on UsageReset { usage ${USAGE} ended { start end } replayed }
    ${USER_ERROR}
  }
}`);
