/** connection-status — whether the page still hears what happens. */
import type { LiveStatus, MetergraphError } from '@metergraph/client-sdk';

const WORDS: Readonly<Record<LiveStatus, string>> = {
  connecting: 'Connecting…',
  live: 'Connected',
  reconnecting: 'Reconnecting…',
  closed: 'Disconnected',
};

type ConnectionStatusProps = {
  readonly status: LiveStatus;
  readonly problem: MetergraphError | null;
  readonly onForget: (() => void) | null;
};

export function ConnectionStatus({ status, problem, onForget }: ConnectionStatusProps) {
  return (
    <div className="connection" data-status={status}>
      <span role="status" title={status === 'live' ? undefined : problem?.message}>
        <i aria-hidden="true" />
        {WORDS[status]}
      </span>
      {status === 'closed' && (
        <button type="button" className="button quiet small" onClick={() => location.reload()}>
          Reload
        </button>
      )}
      {onForget && (
        <button type="button" className="button quiet small" onClick={onForget}>
          Forget key
        </button>
      )}
    </div>
  );
}
