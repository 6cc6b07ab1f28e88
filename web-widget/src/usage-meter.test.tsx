// @vitest-environment jsdom
/** Goal: the component lives and dies cleanly, and shows what the gateway says. Method: a gateway moved by hand. */
import { MetergraphError } from '@metergraph/client-sdk';
import { act, cleanup, fireEvent, render, renderHook } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HandRealtime } from './testing/hand-realtime.ts';
import { UsageMeter } from './usage-meter.tsx';
import { UsageProvider } from './usage-provider.tsx';
import { useUsage } from './use-usage.ts';

let gateway: HandRealtime;
beforeEach(() => {
  gateway = new HandRealtime();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const shadow = (container: Element, feature = 'api_calls'): ShadowRoot => {
  const root = container.querySelector(`[data-metergraph-meter="${feature}"]`)?.shadowRoot;
  if (!root) throw new Error('no shadow root');
  return root;
};
const text = (root: ShadowRoot, part: string): string =>
  (root.querySelector(`[part~="${part}"]`)?.textContent ?? '').replaceAll('\u00a0', ' ');
const live = (used: string): void =>
  act(() => {
    gateway.status('live');
    gateway.usages({ used });
  });

describe('<UsageMeter>', () => {
  it('moves while it happens', () => {
    const { container } = render(<UsageMeter client={gateway} feature="api_calls" locale="en-US" />);
    const root = shadow(container);
    expect(root.querySelector('[part~="skeleton"]')).not.toBeNull();
    live('412');
    expect([text(root, 'used'), text(root, 'limit'), text(root, 'percent')]).toEqual(['412', 'of 1,000 calls', '41%']);
    live('1000');
    expect([text(root, 'used'), text(root, 'sign')]).toEqual(['1,000', 'Limit reached']);
    expect(root.querySelector<HTMLElement>('[part~="fill"]')?.style.inlineSize).toBe('100%');
  });

  it('shows an alert once, and dismisses it for good', () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') });
    const { container } = render(<UsageMeter client={gateway} feature="api_calls" locale="en-US" />);
    const root = shadow(container);
    live('800');
    act(() => gateway.alert('a', '0.8'));
    act(() => gateway.alert('a', '0.8'));
    expect(root.querySelectorAll('[part~="alert"]')).toHaveLength(1);
    act(() => vi.advanceTimersByTime(1_000));
    expect(root.querySelector('[aria-live]')?.textContent?.replaceAll('\u00a0', ' ')).toBe(
      'API calls: 80% of 1,000 calls used',
    );
    const dismiss = root.querySelector('[part~="dismiss"]');
    if (!dismiss) throw new Error('no button');
    fireEvent.click(dismiss);
    act(() => gateway.alert('a', '0.8'));
    expect(root.querySelectorAll('[part~="alert"]')).toHaveLength(0);
  });

  it('says that it is reconnecting, and goes on', () => {
    const { container } = render(<UsageMeter client={gateway} feature="api_calls" locale="en-US" />);
    live('412');
    act(() => gateway.status('reconnecting'));
    expect([text(shadow(container), 'status'), text(shadow(container), 'used')]).toEqual(['Reconnecting…', '412']);
    live('500');
    expect([text(shadow(container), 'status'), text(shadow(container), 'used')]).toEqual(['Live', '500']);
  });

  it('tries again after a refusal', () => {
    const { container } = render(<UsageMeter client={gateway} feature="api_calls" locale="en-US" />);
    act(() => gateway.fail(new MetergraphError('UNAUTHENTICATED', 'expired')));
    const retry = shadow(container).querySelector('[part~="retry"]');
    if (!retry) throw new Error('no button');
    fireEvent.click(retry);
    live('5');
    expect(text(shadow(container), 'used')).toBe('5');
  });

  it('shares two subscriptions among many, under StrictMode too, and leaves none', () => {
    const { container, unmount } = render(
      <StrictMode>
        <UsageProvider client={gateway} locale="de-DE">
          <UsageMeter feature="api_calls" />
          <UsageMeter feature="api_calls" label="Again" />
        </UsageProvider>
      </StrictMode>,
    );
    expect(gateway.open).toBe(2);
    live('1234');
    expect(text(shadow(container), 'used')).toBe('1.234');
    unmount();
    expect(gateway.open).toBe(0);
  });

  it('follows another feature when told to, from the start', () => {
    const meter = (feature: string) => <UsageMeter client={gateway} feature={feature} locale="en-US" />;
    const { container, rerender } = render(meter('api_calls'));
    live('412');
    rerender(meter('storage'));
    expect(shadow(container, 'storage').querySelector('[part~="skeleton"]')).not.toBeNull();
    expect(gateway.open).toBe(2);
  });

  it('does not start over for an inline getToken', () => {
    const meter = (n: number) => <UsageMeter client={gateway} getToken={() => `token ${n}`} feature="api_calls" />;
    const { rerender } = render(meter(1));
    rerender(meter(2));
    expect(gateway.subscribed).toBe(2);
  });

  it('shares one token source among meters drawn earlier and later, for an inline getToken that came late', async () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}));
    const asked = vi.fn(async () => 'token');
    const page = (getToken: (() => Promise<string>) | undefined, features: string[]) => (
      <UsageProvider url="https://meter.test" getToken={getToken}>
        {features.map((feature) => (
          <UsageMeter key={feature} feature={feature} />
        ))}
      </UsageProvider>
    );
    const { rerender } = render(page(undefined, []));
    rerender(page(() => asked(), ['api_calls']));
    rerender(page(() => asked(), ['api_calls']));
    rerender(page(() => asked(), ['api_calls', 'storage']));
    await act(() => vi.waitFor(() => expect(asked).toHaveBeenCalled()));
    expect(asked).toHaveBeenCalledOnce();
  });

  it('keeps to the theme, the direction and the strings it is given', () => {
    const { container } = render(
      <UsageMeter
        client={gateway}
        feature="api_calls"
        theme="dark"
        dir="rtl"
        locale="ar-EG"
        messages={{ ofLimit: 'من {limitless}' }}
        className="mine"
      />,
    );
    live('412');
    const root = shadow(container);
    expect([root.host.className, root.host.getAttribute('dir'), root.host.getAttribute('lang')]).toEqual([
      'mine',
      'rtl',
      'ar-EG',
    ]);
    expect(root.querySelector('.meter')?.getAttribute('data-theme')).toBe('dark');
    expect([text(root, 'used'), text(root, 'limit')]).toEqual(['٤١٢', 'من {limitless}']);
  });

  it('renders on a server, as an empty host', () => {
    expect(renderToString(<UsageMeter url="https://meter.example.com" token="t" feature="api_calls" />)).toBe(
      '<div data-metergraph-meter="api_calls"></div>',
    );
    expect(gateway.subscribed).toBe(0);
  });
});

describe('useUsage', () => {
  it('gives the numbers and the words to those who draw their own', () => {
    const { result, unmount } = renderHook(() => useUsage('api_calls', { locale: 'en-US' }), {
      wrapper: ({ children }) => <UsageProvider client={gateway}>{children}</UsageProvider>,
    });
    expect([result.current.connection, result.current.usage]).toEqual(['connecting', null]);
    live('800');
    act(() => gateway.alert('a', '0.8'));
    expect([result.current.connection, result.current.usage?.used, result.current.view.figures?.percent]).toEqual([
      'live',
      '800',
      '80%',
    ]);
    act(() => result.current.dismiss('a'));
    expect(result.current.alerts).toEqual([]);
    unmount();
    expect(gateway.open).toBe(0);
  });
});
