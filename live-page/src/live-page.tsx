/** live-page — the page once there is something to show: meters, what happens, and how to try it. */
import { useEffect, useMemo } from 'react';
import { ConnectionStatus } from './connection-status.tsx';
import { Masthead } from './masthead.tsx';
import { namesOf } from './overview.ts';
import { chooseShowcases } from './showcase.ts';
import { ShowcaseCard } from './showcase-card.tsx';
import { StreamPanel } from './stream-panel.tsx';
import { TryIt } from './try-it.tsx';
import type { OpenSession } from './use-session.ts';
import { isRefusal } from './use-session.ts';
import { useStream } from './use-stream.ts';
import './styles/live-page.css';

type LivePageProps = {
  readonly session: OpenSession;
  readonly demoKey: string | null;
  /** The gateway has come to refuse the key: it was revoked, has expired, or is of another run. */
  readonly onRefused: (reason: string) => void;
  /** For whoever brought a key. */
  readonly onForget: (() => void) | null;
};

export function LivePage({ session, demoKey, onRefused, onForget }: LivePageProps) {
  const { client, overview } = session;
  const showcases = useMemo(() => chooseShowcases(overview.customers), [overview]);
  const nameOf = useMemo(() => namesOf(overview.customers), [overview]);
  const { stream, status, problem, hold } = useStream(client, overview);
  const [first] = showcases;

  useEffect(() => {
    if (problem && isRefusal(problem)) onRefused(problem.message);
  }, [problem, onRefused]);

  return (
    <Masthead status={<ConnectionStatus status={status} problem={problem} onForget={onForget} />}>
      <main className="live-page">
        <section className="meters" aria-labelledby="meters-title">
          <div className="section-head">
            <h2 id="meters-title">What your customers see</h2>
            <p>
              Meters as an app embeds them, each with a token of its own customer. The buttons below each are your
              server, asking <code>consume</code>.
            </p>
          </div>
          {showcases.length === 0 ? (
            <NoCustomers tenantName={overview.tenantName} />
          ) : (
            <div className="showcases">
              {showcases.map(({ customer, usage }) => (
                <ShowcaseCard
                  key={`${customer.referenceId} ${usage.feature.key}`}
                  client={client}
                  customer={customer}
                  usage={usage}
                />
              ))}
            </div>
          )}
        </section>
        <StreamPanel stream={stream} nameOf={nameOf} onHold={hold} />
        <TryIt
          demoKey={demoKey}
          referenceId={first?.customer.referenceId ?? 'acme'}
          featureKey={first?.usage.feature.key ?? 'api_calls'}
          customerName={first && nameOf(first.customer.referenceId)}
        />
      </main>
    </Masthead>
  );
}

const NoCustomers = ({ tenantName }: { readonly tenantName: string }) => (
  <div className="empty card">
    <h3>No customers yet</h3>
    <p>
      {tenantName} has no customer with a metered feature. Register one with the mutation <code>registerCustomer</code>,
      then reload this page.
    </p>
  </div>
);
