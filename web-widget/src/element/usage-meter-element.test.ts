// @vitest-environment jsdom
/**
 * Goal: the element as HTML and scripts use it. Method: the real SDK with a socket that never opens, and timers that are
 * moved by hand: what waits for a frame, or ends a while after the last meter, does so here and now.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import './index.ts';

// As the stand-alone build has it: preact in react's place.
vi.mock('react', () => import('./react-on-preact.ts'));
vi.mock('react/jsx-runtime', () => import('preact/jsx-runtime'));
vi.mock('react/jsx-dev-runtime', () => import('preact/jsx-runtime'));

/** Connects for ever. The constants are what a WebSocket is known by; without them each attempt fails, and is made again. */
class SilentSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly readyState = SilentSocket.CONNECTING;
  close(): void {}
  send(): void {}
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', SilentSocket);
  vi.stubGlobal('fetch', () => new Promise(() => {}));
});
afterEach(async () => {
  document.body.replaceChildren();
  await drawn();
  await vi.advanceTimersByTimeAsync(CONNECTION_ENDS_MS);
  expect(vi.getTimerCount()).toBe(0); // nothing of it outlives the window
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** More than a feed and its connection stay for, one after the other, once the last meter has gone. */
const CONNECTION_ENDS_MS = 10_000;
/** More than preact waits for a frame before it runs effects. */
const FRAME_MS = 100;

const drawn = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};
const add = (html: string): HTMLElementTagNameMap['usage-meter'] => {
  document.body.insertAdjacentHTML('beforeend', html);
  const element = document.body.querySelector('usage-meter:last-of-type');
  if (!element?.shadowRoot) throw new Error('no element');
  return element as HTMLElementTagNameMap['usage-meter']; // the selector says which
};

describe('<usage-meter>', () => {
  it('waits, drawn as loading, for a token; then asks for one, once for all meters', async () => {
    const elements = [
      add('<usage-meter feature="api_calls" url="https://a.test">'),
      add('<usage-meter feature="storage" url="https://a.test">'),
    ];
    await drawn();
    expect(elements[0]?.shadowRoot?.querySelector('[part~="skeleton"]')).not.toBeNull();
    vi.spyOn(Math, 'random').mockReturnValue(0); // an attempt that failed would be made again at once
    const getToken = vi.fn(async () => 'token');
    for (const element of elements) element.getToken = getToken;
    await drawn();
    await vi.advanceTimersByTimeAsync(FRAME_MS);
    expect(getToken).toHaveBeenCalledOnce();
  });

  it('mirrors its attributes as properties', () => {
    const element = add('<usage-meter feature="api_calls" token-url="/token">');
    expect([element.feature, element.tokenUrl, element.upgradeUrl]).toEqual(['api_calls', '/token', null]);
    element.upgradeUrl = '/plans';
    element.tokenUrl = null;
    expect(element.outerHTML).toContain('upgrade-url="/plans"');
    expect(element.hasAttribute('token-url')).toBe(false);
  });

  it('keeps a property that was set before it was defined', async () => {
    const early = document.createElement('usage-meter-later');
    expect(Object.hasOwn(early, 'label')).toBe(false);
    const element = add('<usage-meter>');
    element.remove();
    // As on an element that is not upgraded yet: an own property hides the accessor.
    Object.defineProperty(element, 'label', { value: 'Calls', configurable: true, writable: true });
    document.body.append(element);
    await drawn();
    expect(element.getAttribute('label')).toBe('Calls');
    expect(element.shadowRoot?.querySelector('[role="group"]')?.getAttribute('aria-label')).toBe('Calls');
  });

  it('takes its strings as JSON, and English when that is broken', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const element = add(`<usage-meter messages='{"loading":"Lädt"}'>`);
    await drawn();
    expect(element.shadowRoot?.textContent).toContain('Lädt');
    element.setAttribute('messages', '{');
    await drawn();
    expect(element.shadowRoot?.textContent).toContain('Loading usage');
    expect(warn).toHaveBeenCalledOnce();
  });

  it('is emptied when it leaves the page, not when it only moves', async () => {
    const element = add('<usage-meter feature="api_calls">');
    await drawn();
    const drawing = element.shadowRoot?.querySelector('.meter');
    const elsewhere = document.createElement('section');
    document.body.append(elsewhere);
    elsewhere.append(element);
    await drawn();
    expect(element.shadowRoot?.querySelector('.meter')).toBe(drawing);
    element.remove();
    await drawn();
    expect(element.shadowRoot?.querySelector('.meter')).toBeNull();
  });
});
