/** alert-list — the open alerts under the figures, each with its sign, its time and a way to close it. */
import type { MeterView } from './describe.ts';
import { Icon } from './icons.tsx';

export function AlertList({
  view: { alerts, moreAlerts, text },
  onDismiss,
}: {
  readonly view: MeterView;
  readonly onDismiss: ((alertId: string) => void) | undefined;
}) {
  if (alerts.length === 0) return null;
  return (
    <ul className="alerts" part="alerts" aria-label={text('alerts')}>
      {alerts.map((alert) => (
        <li key={alert.id} className="alert" part="alert" data-tone={alert.tone} data-alert-id={alert.id}>
          <Icon name={alert.tone} />
          <span className="alert-text">{alert.text}</span>
          <time dateTime={alert.dateTime}>{alert.time}</time>
          <button
            type="button"
            className="dismiss"
            part="dismiss"
            aria-label={alert.dismissLabel}
            onClick={(event) => {
              keepFocus(event.currentTarget);
              onDismiss?.(alert.id);
            }}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
      {moreAlerts && <li className="more">{moreAlerts}</li>}
    </ul>
  );
}

/** A closed alert takes its button with it: the next one, or the meter itself, gets the focus instead of nothing. */
function keepFocus(button: HTMLElement): void {
  const next = button.closest('li')?.nextElementSibling?.querySelector('button');
  (next ?? button.closest<HTMLElement>('.meter'))?.focus({ preventScroll: true });
}
