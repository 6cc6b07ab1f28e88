/** showcase-card — a customer's meter, and the buttons by which this page acts as the app's server. */
import type { MetergraphClient } from '@metergraph/client-sdk';
import { UsageMeter, UsageProvider } from '@metergraph/web-widget';
import { useCallback, useState } from 'react';
import { Decision } from './decision.tsx';
import { formatNumber, LOCALE } from './format.ts';
import type { ShownCustomer, ShownUsage } from './overview.ts';
import { stepsFor } from './steps.ts';
import { useConsume } from './use-consume.ts';
import './styles/showcase.css';

type ShowcaseCardProps = {
  readonly client: MetergraphClient;
  readonly customer: ShownCustomer;
  /** Which meter, as it was when the page was opened; the meter itself reads its own. */
  readonly usage: ShownUsage;
};

export function ShowcaseCard({ client, customer, usage }: ShowcaseCardProps) {
  const { referenceId, planKey } = customer;
  const name = customer.name ?? referenceId;
  const { key: featureKey, displayName } = usage.feature;
  const getToken = useCallback(
    async () => (await client.createCustomerToken({ referenceId })).token,
    [client, referenceId],
  );
  const { outcome, isPending, consume, consumeTwice } = useConsume(client, referenceId, featureKey);
  const [steps] = useState(() => stepsFor(usage));

  return (
    <article className="showcase card" aria-label={`${name}, ${displayName}`}>
      <header>
        <h3>{name}</h3>
        {planKey !== null && <span className="plan">{planKey}</span>}
      </header>
      <UsageProvider url="/graphql" getToken={getToken} locale={LOCALE}>
        <UsageMeter feature={featureKey} className="showcase-meter" />
      </UsageProvider>
      <div className="actions">
        {steps.map((amount, index) => (
          <button
            key={amount}
            type="button"
            className={index === 0 ? 'button primary' : 'button'}
            onClick={() => consume(amount)}
          >
            Consume {formatNumber(amount)}
          </button>
        ))}
        <button
          type="button"
          className="button"
          title="The same call twice, with one idempotency key"
          onClick={() => consumeTwice('1')}
        >
          Send 1 twice, same key
        </button>
      </div>
      <Decision outcome={outcome} isPending={isPending} />
    </article>
  );
}
