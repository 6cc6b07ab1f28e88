/** disputes — a customer asks the bank for the money back, and the bank decides. */
import type { Account, Charge, Dispute } from './account.ts';
import { announce } from './announce.ts';
import { DAY } from './wire.ts';

const EVIDENCE_SPAN = 7 * DAY;

/** Of a paid charge. */
export function dispute(account: Account, charge: Charge, reason = 'fraudulent'): Dispute {
  const now = account.now();
  const opened: Dispute = {
    id: account.newId('du'),
    object: 'dispute',
    amount: charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: now + EVIDENCE_SPAN,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason,
    status: 'needs_response',
  };
  charge.disputed = true;
  announce(account, 'charge.dispute.created', account.disputes.add(opened));
  announce(account, 'charge.dispute.funds_withdrawn', opened);
  return opened;
}

/** The bank has decided; won, the money comes back. */
export function closeDispute(account: Account, opened: Dispute, status: 'won' | 'lost'): Dispute {
  opened.status = status;
  if (status === 'won') announce(account, 'charge.dispute.funds_reinstated', opened);
  announce(account, 'charge.dispute.closed', opened);
  return opened;
}

const NO_EVIDENCE: Dispute['evidence'] = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};
