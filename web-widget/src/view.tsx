/** view — the meter as it is drawn: a function of `MeterView`, shared by the React component and the custom element. */
import type { CSSProperties } from 'react';
import { AlertList } from './alert-list.tsx';
import type { MeterFigures, MeterView } from './describe.ts';
import { Icon, type IconName } from './icons.tsx';

export type Theme = 'light' | 'dark' | 'auto';

/** How the app offers more: a link, a handler, or both. Nothing is offered without. */
export type Upgrade = {
  readonly url?: string | undefined;
  /** Called on a click; `preventDefault()` keeps a link from being followed. */
  readonly onUpgrade?: ((event: { preventDefault(): void }) => void) | undefined;
};

export type MeterCardProps = {
  readonly view: MeterView;
  readonly theme?: Theme | undefined;
  readonly upgrade?: Upgrade | undefined;
  /** What a screen reader says next; set it seldom. */
  readonly announcement?: string | undefined;
  /** Counts live updates: each new number pulses once. */
  readonly pulse?: number | undefined;
  readonly onDismiss?: ((alertId: string) => void) | undefined;
  readonly onRetry?: (() => void) | undefined;
};

export function MeterCard({
  view,
  theme = 'auto',
  upgrade,
  announcement = '',
  pulse = 0,
  onDismiss,
  onRetry,
}: MeterCardProps) {
  const { figures, phase } = view;
  const level = figures?.level ?? 'calm';
  return (
    // No landmark and no heading: the page's own outline stays as it is.
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the controls of a form.
    <div
      role="group"
      className="meter"
      part={`meter ${phase} ${level}`}
      data-theme={theme}
      data-phase={phase}
      data-level={level}
      data-enforcement={figures?.enforcement}
      style={{ '--stage': figures?.bar?.stage } as CSSProperties} // its type leaves custom properties out
      aria-label={view.title}
      aria-busy={phase === 'loading'}
      tabIndex={-1}
    >
      {phase !== 'loading' && (
        <header className="header" part="header">
          <span className="title" part="title">
            {view.title}
          </span>
          <Status view={view} pulse={pulse} />
        </header>
      )}
      {phase === 'loading' && <Skeleton label={view.text('loading')} />}
      {figures && <Figures view={view} figures={figures} pulse={pulse} upgrade={upgrade} />}
      {view.notice && <Notice view={view} upgrade={upgrade} onRetry={onRetry} />}
      <AlertList view={view} onDismiss={onDismiss} />
      <p className="hidden" aria-live="polite" aria-atomic="true">
        {announcement}
      </p>
    </div>
  );
}

function Status({ view: { phase, text }, pulse }: { readonly view: MeterView; readonly pulse: number }) {
  if (phase === 'live') {
    return (
      <span className="status" part="status">
        <span className="dot" key={pulse} data-pulse={pulse > 0 || undefined} />
        {text('live')}
      </span>
    );
  }
  if (phase !== 'stale') return null;
  return (
    <span className="status" part="status" title={text('staleHint')}>
      <Icon name="stale" />
      {text('stale')}
    </span>
  );
}

type FiguresProps = {
  readonly view: MeterView;
  readonly figures: MeterFigures;
  readonly pulse: number;
  readonly upgrade: Upgrade | undefined;
};

function Figures({ view, figures, pulse, upgrade }: FiguresProps) {
  const { sign, reset } = figures;
  return (
    <>
      <div className="figures" part="figures">
        <span className="amount">
          <span className="used" part="used">
            {figures.used}
          </span>
          <span className="limit" part="limit">
            {figures.ofLimit}
          </span>
        </span>
        {figures.badge ? (
          <span className="badge" part="badge">
            <Icon name="unlimited" />
            {figures.badge}
          </span>
        ) : (
          <span className="percent" part="percent">
            {figures.percent}
          </span>
        )}
      </div>
      <Bar figures={figures} label={view.title} pulse={pulse} />
      <div className="facts" part="facts">
        {figures.rest && <span part="rest">{figures.rest}</span>}
        {figures.credits && <span part="credits">{figures.credits}</span>}
        <time className="reset" part="reset" dateTime={reset.dateTime ?? undefined}>
          {reset.text}
        </time>
      </div>
      <div className="next" part="next">
        <p className="outlook" part="outlook">
          {sign && (
            <strong className="sign" part="sign">
              <Icon name={iconOf(figures)} />
              {sign}
            </strong>
          )}
          <span>{figures.outlook}</span>
        </p>
        {figures.nearLimit && <UpgradeButton text={view.text('upgrade')} upgrade={upgrade} />}
      </div>
    </>
  );
}

const iconOf = ({ level }: MeterFigures): IconName =>
  level === 'notice' ? 'notice' : level === 'none' ? 'lock' : 'full';

function Bar({
  figures: { bar, badge, valueText },
  label,
  pulse,
}: {
  readonly figures: MeterFigures;
  readonly label: string;
  readonly pulse: number;
}) {
  if (!bar) {
    return (
      <div className="bar" part="bar">
        <div className={badge ? 'track endless' : 'track'} part="track" />
        <span className="hidden">{valueText}</span>
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> draws its own bar, without marks, each browser in its own way.
    <div
      className="bar"
      part="bar"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={bar.valueMax}
      aria-valuenow={bar.valueNow}
      aria-valuetext={valueText}
    >
      <div className="track" part="track">
        <div className="fill beyond" part="beyond" style={{ inlineSize: length(bar.filled) }} />
        <div className="fill" part="fill" style={{ inlineSize: length(bar.within) }}>
          <i className="glow" key={pulse} data-pulse={pulse > 0 || undefined} />
        </div>
      </div>
      {bar.ticks.map((tick) => (
        <i
          key={tick.label}
          className="tick"
          part={tick.reached ? 'tick tick-reached' : 'tick'}
          data-reached={tick.reached || undefined}
          title={tick.label}
          style={{ insetInlineStart: length(tick.position) }}
        />
      ))}
    </div>
  );
}

const length = (share: number): string => `${share * 100}%`;

function Skeleton({ label }: { readonly label: string }) {
  return (
    <div className="skeleton" part="skeleton" role="status">
      <span className="hidden">{label}</span>
      {[1, 2, 3, 4, 5].map((bone) => (
        <i key={bone} className="bone" />
      ))}
    </div>
  );
}

type NoticeProps = {
  readonly view: MeterView;
  readonly upgrade: Upgrade | undefined;
  readonly onRetry: (() => void) | undefined;
};

function Notice({ view: { notice, text }, upgrade, onRetry }: NoticeProps) {
  if (!notice) return null;
  return (
    <div className="notice" part="notice">
      <span className="emblem">
        <Icon name={notice.kind === 'denied' ? 'lock' : notice.kind} />
      </span>
      <p className="notice-text">
        <strong>{notice.title}</strong>
        <span>{notice.hint}</span>
      </p>
      {notice.kind === 'absent' ? (
        <UpgradeButton text={text('upgrade')} upgrade={upgrade} />
      ) : (
        <button type="button" className="button quiet" part="button retry" onClick={onRetry}>
          {text('retry')}
        </button>
      )}
    </div>
  );
}

function UpgradeButton({ text, upgrade }: { readonly text: string; readonly upgrade: Upgrade | undefined }) {
  const { url, onUpgrade } = upgrade ?? {};
  const shared = { className: 'button', part: 'button upgrade', onClick: onUpgrade };
  const content = (
    <>
      <Icon name="upgrade" />
      {text}
    </>
  );
  if (url) {
    return (
      <a {...shared} href={url}>
        {content}
      </a>
    );
  }
  if (!onUpgrade) return null;
  return (
    <button type="button" {...shared}>
      {content}
    </button>
  );
}
