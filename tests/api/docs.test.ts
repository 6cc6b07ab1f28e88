/** Goal: the docs say the same as the code, in the same order. Method: read their tables. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { DENIAL_REASONS } from '../../server/domain/denial.ts';
import { NOTICE_TYPES } from '../../server/domain/notice.ts';
import { createMetrics } from '../../server/metrics.ts';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

it('lists the refusals in their one order', () => {
  const [, section = ''] = read('docs/metering.md').split('## Refusals, in order');
  const named = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, reason]) => reason);
  expect(named).toEqual(DENIAL_REASONS);
});

it('lists the events that others are told of in their one order', () => {
  const [, section = ''] = read('docs/webhooks.md').split('## Events');
  const named = [...section.matchAll(/^\| `([a-z_.]+)` \|/gm)].map(([, type]) => type);
  expect(named).toEqual(NOTICE_TYPES);
});

it('names every metric of ours, and no other', async () => {
  const metrics = createMetrics();
  metrics.observe({ queueLength: () => 0, sockets: () => 0, subscriptions: () => 0 });
  const exposed = [...(await metrics.text()).matchAll(/^# TYPE (metergraph_\w+)/gm)].map(([, name]) => name);
  const named = [...read('docs/operations.md').matchAll(/`(metergraph_\w+)(?:\{outcome\})?`/g)].map(([, name]) => name);
  expect(new Set(named.filter((name) => name !== 'metergraph_reader'))).toEqual(new Set(exposed));
});

const pages = readdirSync(fileURLToPath(new URL('../../docs', import.meta.url)), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

it.each(['README.md', 'CONTRIBUTING.md', ...pages])('every link of %s leads somewhere', (page) => {
  const base = new URL(`../../${page}`, import.meta.url);
  const targets = [...read(page).matchAll(/\]\(([^)#]+)[^)]*\)|src="([^"]+)"/g)].map(
    ([, link, src]) => link ?? src ?? '',
  );
  const local = targets.filter((target) => !/^https?:/.test(target));
  const missing = local.filter((target) => !existsSync(fileURLToPath(new URL(target, base))));
  expect(missing).toEqual([]);
});
