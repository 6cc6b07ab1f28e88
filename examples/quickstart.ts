/**
 * quickstart — a customer, a few uses, the refusal at the limit, and the meter that moves meanwhile.
 *
 *   METERGRAPH_KEY=<an admin key> npx tsx examples/quickstart.ts
 *
 * It brings its own feature and plan, so it runs on any gateway.
 */
import { createMetergraphClient } from '@metergraph/client-sdk';

const { METERGRAPH_URL = 'http://localhost:4000/graphql', METERGRAPH_KEY: apiKey } = process.env;
if (!apiKey) throw new Error('Set METERGRAPH_KEY to an API key with the scope "admin".');

const metergraph = createMetergraphClient({ url: METERGRAPH_URL, apiKey });

const DEFINE = /* GraphQL */ `
  mutation {
    saveFeature(input: { key: "quickstart_calls", displayName: "Calls", unit: "call", reset: MONTHLY }) { __typename }
    savePlan(input: { key: "quickstart", features: [{ featureKey: "quickstart_calls", limit: 5 }] }) { __typename }
  }
`;
await metergraph.request(DEFINE);

const referenceId = `quickstart-${Date.now()}`;
const featureKey = 'quickstart_calls';
await metergraph.registerCustomer({ referenceId, planKey: 'quickstart' });

const stop = metergraph.onUsage(
  { referenceId, featureKeys: [featureKey] },
  { onChange: ({ usages }) => console.log(`  the meter shows ${usages.get(featureKey)?.used} of 5`) },
);

for (let call = 1; call <= 6; call += 1) {
  const { allowed, denial, alerts } = await metergraph.consume({ referenceId, featureKey });
  console.log(allowed ? `call ${call} passes` : `call ${call} is refused: ${denial.message}`);
  for (const { threshold } of alerts) console.log(`  alert: ${Number(threshold.value) * 100} % of the limit is used`);
}

stop();
metergraph.close();
