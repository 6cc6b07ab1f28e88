/**
 * playground — every state of the meter on one page, driven by fixtures. The query chooses how:
 * `?theme=light|dark|auto&dir=ltr|rtl&state=<one of the fixtures>&width=320`.
 */
import { StrictMode, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { describeMeter } from '../src/describe.ts';
import { type MeterState, reduce } from '../src/state.ts';
import { adoptStyles } from '../src/stylesheet.ts';
import { MeterCard, type Theme } from '../src/view.tsx';
import { arabic } from './arabic.ts';
import { fixtures, NOW } from './fixtures.ts';

const query = new URLSearchParams(location.search);
const theme: Theme = (['light', 'dark'] as const).find((name) => name === query.get('theme')) ?? 'auto';
const isRtl = query.get('dir') === 'rtl';
const only = query.get('state');
const width = Number(query.get('width')) || 320;
const isDark = theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);

function Specimen({ name, state }: { readonly name: string; readonly state: MeterState }) {
  const host = useRef<HTMLDivElement>(null);
  const [root, setRoot] = useState<ShadowRoot | null>(null);
  const [shown, setShown] = useState(state);
  useLayoutEffect(() => {
    if (!host.current) return;
    const shadow = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    adoptStyles(shadow);
    setRoot(shadow);
  }, []);
  const locale = isRtl ? 'ar-EG' : 'en-GB';
  const view = describeMeter(shown, { now: NOW, locale, timeZone: 'UTC', messages: isRtl ? arabic : undefined });
  return (
    <figure style={{ margin: 0 }}>
      <figcaption style={{ font: '12px system-ui', color: isDark ? '#a3abb9' : '#5a6270', marginBlockEnd: 6 }}>
        {name}
      </figcaption>
      <div ref={host} data-state={name} lang={locale}>
        {root &&
          createPortal(
            <MeterCard
              view={view}
              theme={theme}
              upgrade={{ url: '#upgrade' }}
              onDismiss={(alertId) => setShown(reduce(shown, { type: 'dismiss', alertId }))}
            />,
            root,
          )}
      </div>
    </figure>
  );
}

function Playground() {
  const names = Object.keys(fixtures).filter((name) => !only || name === only);
  return (
    <>
      <h1 style={{ font: '600 15px system-ui', margin: 0, gridColumn: '1 / -1' }}>Usage meter</h1>
      {names.map((name) => {
        const state = fixtures[name];
        return state && <Specimen key={name} name={name} state={state} />;
      })}
    </>
  );
}

const main = document.getElementById('playground');
if (main) {
  document.documentElement.dir = isRtl ? 'rtl' : 'ltr';
  document.documentElement.lang = isRtl ? 'ar' : 'en-GB';
  Object.assign(document.body.style, {
    margin: '0',
    padding: '20px',
    fontFamily: 'system-ui, sans-serif',
    background: isDark ? '#0d0f13' : '#f5f6f8',
    color: isDark ? '#f2f4f8' : '#171a21',
  });
  Object.assign(main.style, {
    display: 'grid',
    gap: '20px',
    alignItems: 'start',
    gridTemplateColumns: `repeat(auto-fill, minmax(0, ${width}px))`,
  });
  createRoot(main).render(
    <StrictMode>
      <Playground />
    </StrictMode>,
  );
}
