/** showcase-card — a customer's meter, and the buttons by which this page acts as the app's server. */
import type { MetergraphClient, Usage } from '@metergraph/client-sdk';
import { UsageMeter, UsageProvider } from '@metergraph/web-widget';
import { useCallback, useId, useState } from 'react';
import { Decision } from './decision.tsx';
import { formatNumber } from './format.ts';
import type { ShownCustomer } from './overview.ts';
import { stepsFor } from './steps.ts';
import { useConsume } from './use-consume.ts';
import './styles/showcase.css';

type ShowcaseCardProps = {
  readonly client: MetergraphClient;
  readonly customer: ShownCustomer;
  /** Which meter, as it was when the page was opened; the meter itself reads its own. */
  readonly usage: Usage;
};

export function ShowcaseCard({ client, customer, usage }: ShowcaseCardProps) {
  const title = useId();
  const { referenceId, planKey } = customer;
  const { key: featureKey, displayName } = usage.feature;
  const getToken = useCallback(
    async () => (await client.createCustomerToken({ referenceId })).token,
    [client, referenceId],
  );
  const { outcome, isPending, consume, consumeTwice } = useConsume(client, referenceId, featureKey);
  const [[one, more]] = useState(() => stepsFor(usage));

  return (
    <article className="showcase card" aria-labelledby={title}>
      <header>
        <h3 id={title}>
          {customer.name ?? referenceId}
          <span className="unseen">, {displayName}</span>
        </h3>
        {planKey !== null && <span className="plan">{planKey}</span>}
      </header>
      <UsageProvider url="/graphql" getToken={getToken} locale="en">
        <UsageMeter feature={featureKey} className="showcase-meter" />
      </UsageProvider>
      <div className="actions">
        <button type="button" className="button primary" onClick={() => consume(one)}>
          Consume {formatNumber(one)}
        </button>
        <button type="button" className="button" onClick={() => consume(more)}>
          Consume {formatNumber(more)}
        </button>
        <button type="button" className="button quiet" onClick={() => consumeTwice(one)}>
          Send twice, one key
        </button>
      </div>
      <Decision outcome={outcome} isPending={isPending} />
    </article>
  );
}
