/** tables — every table, one a file. Constraints carry the promises, and each has a name. */
export { alerts } from './alerts.ts';
export { answers } from './answers.ts';
export { apiKeys } from './api-keys.ts';
export { counters } from './counters.ts';
export { customers } from './customers.ts';
export { events } from './events.ts';
export { features } from './features.ts';
export { creditBalances, grants } from './grants.ts';
export { planSpans } from './plan-spans.ts';
export { planVersions } from './plan-versions.ts';
export { plans } from './plans.ts';
export { postings } from './postings.ts';
export { reservations } from './reservations.ts';
export { rollups } from './rollups.ts';
export { secrets } from './secrets.ts';
export { tenants } from './tenants.ts';
export { uniqueValues } from './unique-values.ts';
export { topUpRequests, wallets } from './wallets.ts';
