// @vitest-environment jsdom
/** Goal: every state can be read without seeing it, and worked without a mouse. Method: all fixtures, and the markup. */
import { cleanup, fireEvent, render } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fixtures, NOW } from '../playground/fixtures.ts';
import { describeMeter } from './describe.ts';
import { MeterCard, type MeterCardProps } from './view.tsx';

afterEach(cleanup);

const draw = (name: string, props: Partial<MeterCardProps> = {}) => {
  const state = fixtures[name];
  if (!state) throw new Error(`no fixture ${name}`);
  const view = describeMeter(state, { now: NOW, locale: 'en-US', timeZone: 'UTC' });
  return { view, ...render(<MeterCard view={view} {...props} />) };
};
const text = (element: Element | null): string => (element?.textContent ?? '').replaceAll('\u00a0', ' ');

describe('for those who do not see it', () => {
  it('is a meter with the numbers, and with words for them', () => {
    const { getByRole } = draw('near');
    const meter = getByRole('meter', { name: 'API calls' });
    expect(['valuemin', 'valuenow', 'valuemax'].map((name) => meter.getAttribute(`aria-${name}`))).toEqual([
      '0',
      '846',
      '1000',
    ]);
    expect(meter.getAttribute('aria-valuetext')?.replaceAll('\u00a0', ' ')).toBe('846 of 1,000 calls, 84%');
  });

  it('beyond the limit the value stays within the range', () => {
    const meter = draw('over, hard').getByRole('meter');
    expect(Number(meter.getAttribute('aria-valuenow'))).toBeLessThanOrEqual(
      Number(meter.getAttribute('aria-valuemax')),
    );
  });

  it('unlimited use is no meter, but words', () => {
    const { queryByRole, container } = draw('unlimited');
    expect(queryByRole('meter')).toBeNull();
    expect(text(container)).toContain('12,345,678 calls used, no limit');
  });

  it('is busy while it loads', () => {
    const { getByRole } = draw('loading');
    expect(getByRole('group').getAttribute('aria-busy')).toBe('true');
    expect(text(getByRole('status'))).toBe('Loading usage');
  });

  it('announces politely', () => {
    const { container } = draw('near', { announcement: 'API calls: 80% used' });
    expect(text(container.querySelector('[aria-live="polite"]'))).toBe('API calls: 80% used');
  });

  it.each(Object.keys(fixtures))('%s: nothing is said by colour alone', (name) => {
    const { view, container } = draw(name, { upgrade: { url: '/plans' } });
    const level = view.figures?.level ?? 'calm';
    expect(container.querySelectorAll('.sign').length).toBe(level === 'calm' ? 0 : 1);
    for (const control of container.querySelectorAll('button, a')) {
      expect(control.getAttribute('aria-label') ?? text(control)).not.toBe('');
    }
    for (const icon of container.querySelectorAll('svg')) expect(icon.getAttribute('aria-hidden')).toBe('true');
  });
});

describe('alerts', () => {
  it('are dismissed by name, and the focus goes on to the next', () => {
    const onDismiss = vi.fn<(alertId: string) => void>();
    const { getByRole, getAllByRole } = draw('full', { onDismiss });
    const [first, second] = getAllByRole('button', { name: /Dismiss alert/ });
    if (!first || !second) throw new Error('two alerts are open');
    expect(first.getAttribute('aria-label')?.replaceAll('\u00a0', ' ')).toBe('Dismiss alert: All 1,000 calls used');
    fireEvent.click(first);
    expect(document.activeElement).toBe(second);
    fireEvent.click(second);
    expect(document.activeElement).toBe(getByRole('group'));
    expect(onDismiss.mock.calls).toEqual([['b'], ['a']]);
  });
});

describe('upgrade', () => {
  it.each([
    ['calm', 0],
    ['near', 1],
    ['full', 1],
    ['none', 1],
    ['absent', 1],
    ['unlimited', 0],
  ])('%s: %i offers', (name, offers) => {
    expect(draw(name, { upgrade: { url: '/plans' } }).queryAllByRole('link', { name: 'Upgrade' })).toHaveLength(offers);
  });

  it('is not offered where the app gives neither link nor handler', () => {
    const { queryByText } = draw('full');
    expect(queryByText('Upgrade')).toBeNull();
  });

  it('calls the handler', () => {
    const onUpgrade = vi.fn();
    fireEvent.click(draw('full', { upgrade: { onUpgrade } }).getByRole('button', { name: 'Upgrade' }));
    expect(onUpgrade).toHaveBeenCalledOnce();
  });
});

describe('problems', () => {
  it.each(['denied', 'failed'])('%s can be tried again', (name) => {
    const onRetry = vi.fn();
    fireEvent.click(draw(name, { onRetry }).getByRole('button', { name: 'Try again' }));
    expect(onRetry).toHaveBeenCalledOnce();
  });
});

describe('the bar', () => {
  it('has a mark at each threshold, and changes at each', () => {
    const { container, getByRole } = draw('stages');
    const ticks = [...container.querySelectorAll<HTMLElement>('.tick')];
    expect(ticks.map(({ style }) => style.insetInlineStart)).toEqual(['50%', '75%', '90%', '100%']);
    expect(ticks.map(({ dataset }) => 'reached' in dataset)).toEqual([true, true, true, false]);
    expect(getByRole('group').style.getPropertyValue('--stage')).toBe('0.75');
  });

  it('pulses when a number has moved, not when it first appears', () => {
    expect(draw('calm', { pulse: 0 }).container.querySelector('[data-pulse]')).toBeNull();
    expect(draw('calm', { pulse: 1 }).container.querySelectorAll('[data-pulse]')).toHaveLength(2);
  });
});
