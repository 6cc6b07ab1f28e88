/** decision — the answer to the last press of a button. */
import { describeOutcome, type Outcome } from './describe-outcome.ts';
import { AllowedIcon, DeniedIcon } from './icons.tsx';

export function Decision({ outcome, isPending }: { readonly outcome: Outcome | null; readonly isPending: boolean }) {
  return (
    <output className="decision" data-pending={isPending || undefined}>
      {outcome === null ? (
        <p className="decision-idle">The answer to each press stands here.</p>
      ) : (
        <Answered outcome={outcome} />
      )}
    </output>
  );
}

function Answered({ outcome }: { readonly outcome: Outcome }) {
  const { tone, title, detail, facts, latency } = describeOutcome(outcome);
  return (
    <>
      <p className="decision-title" data-tone={tone}>
        {tone === 'allowed' ? <AllowedIcon /> : <DeniedIcon />}
        <strong>{title}</strong>
        {latency !== null && <span className="latency">{latency}</span>}
      </p>
      <p className="decision-detail">{detail}</p>
      <p className="decision-facts">
        {facts.map((fact) => (
          <code key={fact}>{fact}</code>
        ))}
      </p>
    </>
  );
}
