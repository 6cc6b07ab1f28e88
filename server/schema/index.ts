/** index — the schema: every module adds its part as it is imported. */
import './root.ts';
import './scalars.ts';
import './errors.ts';
import './node.ts';
import './feature.ts';
import './plan.ts';
import './customer.ts';
import './customer-plan.ts';
import './customer-mutes.ts';
import './usage.ts';
import './entity-usage.ts';
import './usage-period.ts';
import './limit-policy.ts';
import './consumption.ts';
import './record-usage.ts';
import './reserve.ts';
import './grant.ts';
import './grant-credits.ts';
import './wallet.ts';
import './top-up-request.ts';
import './correction.ts';
import './alert.ts';
import './event.ts';
import './ledger.ts';
import './usage-series.ts';
import './usage-forecast.ts';
import './invoice.ts';
import './checkout.ts';
import './invoice-record.ts';
import './api-key.ts';
import './customer-token.ts';
import './webhook-endpoint.ts';
import './webhook-delivery.ts';
import './viewer.ts';
import { builder } from './builder.ts';

/** In order of definition, since the order of enum values is part of what they say. */
export const schema = builder.toSchema({ sortSchema: false });
