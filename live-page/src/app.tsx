/** app — which key the page speaks with: the demo's, or the one that its reader brings. */
import { useCallback, useState } from 'react';
import { forgetKey, keepKey, keptKey } from './kept-key.ts';
import { KeyForm } from './key-form.tsx';
import { LivePage } from './live-page.tsx';
import { Masthead } from './masthead.tsx';
import { useSession } from './use-session.ts';

export function App({ demoKey }: { readonly demoKey: string | null }) {
  const [key, setKey] = useState(() => demoKey ?? keptKey());
  const [refusal, setRefusal] = useState<string | null>(null);
  const session = useSession(key);

  const use = useCallback((typed: string) => {
    keepKey(typed);
    setRefusal(null);
    setKey(typed);
  }, []);
  const leave = useCallback((reason: string | null) => {
    forgetKey();
    setRefusal(reason);
    setKey(null);
  }, []);
  /** A demo's key lasts for one run of the gateway: after a restart the page brings the new one. */
  const refused = useCallback(
    (reason: string) => (demoKey === null ? leave(reason) : location.reload()),
    [demoKey, leave],
  );

  if (session.phase === 'open') {
    const forget = demoKey === null ? () => leave(null) : null;
    return <LivePage session={session} demoKey={demoKey} onRefused={refused} onForget={forget} />;
  }
  if (demoKey === null && session.phase !== 'failed') {
    return (
      <Masthead>
        <KeyForm
          isChecking={session.phase === 'opening'}
          refusal={session.phase === 'refused' ? session.message : refusal}
          onKey={use}
        />
      </Masthead>
    );
  }
  return (
    <Masthead>
      <Waiting session={session} />
    </Masthead>
  );
}

function Waiting({ session }: { readonly session: ReturnType<typeof useSession> }) {
  if (session.phase !== 'failed' && session.phase !== 'refused') {
    return (
      <main className="waiting" aria-busy="true">
        <p role="status">Reading customers and their meters…</p>
      </main>
    );
  }
  return (
    <main className="waiting">
      <p role="alert">
        <strong>The page could not be filled.</strong> {session.message}
      </p>
      <button type="button" className="button primary" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
