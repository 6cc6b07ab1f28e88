/** stream-panel — what happens in the tenant, newest first; it stands still while somebody reads. */
import { useEffect, useId, useState } from 'react';
import type { Stream } from './stream.ts';
import { StreamRowView } from './stream-row.tsx';
import './styles/stream.css';

type StreamPanelProps = {
  readonly stream: Stream;
  readonly nameOf: (referenceId: string) => string;
  readonly onHold: (isHeld: boolean) => void;
};

export function StreamPanel({ stream, nameOf, onHold }: StreamPanelProps) {
  const title = useId();
  const [isPaused, setPaused] = useState(false);
  const [isRead, setRead] = useState({ byPointer: false, byFocus: false });
  const isHeld = isPaused || isRead.byPointer || isRead.byFocus;
  useEffect(() => onHold(isHeld), [isHeld, onHold]);
  const { rows, held } = stream;

  return (
    <section className="stream card" aria-labelledby={title}>
      <div className="stream-head">
        <h2 id={title}>As it happens</h2>
        <span className="stream-held">{isHeld && (held.length > 0 ? `${held.length} new` : 'Paused')}</span>
        <button
          type="button"
          className="button quiet small"
          aria-pressed={isPaused}
          onClick={() => setPaused(!isPaused)}
        >
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      {rows.length === 0 ? (
        <p className="stream-empty">Nothing has happened yet. Press a button, or send the curl below.</p>
      ) : (
        // A list that scrolls takes the focus, so that it can be scrolled by keys; its rows stand still meanwhile.
        <ol
          aria-label="Newest first"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: see above.
          tabIndex={0}
          onPointerEnter={({ pointerType }) => setRead({ ...isRead, byPointer: pointerType === 'mouse' })}
          onPointerLeave={() => setRead({ ...isRead, byPointer: false })}
          onFocus={() => setRead({ ...isRead, byFocus: true })}
          onBlur={() => setRead({ ...isRead, byFocus: false })}
        >
          {rows.map((row) => (
            <StreamRowView key={row.id} row={row} nameOf={nameOf} />
          ))}
        </ol>
      )}
    </section>
  );
}
