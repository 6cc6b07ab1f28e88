/**
 * Goal: only a clear yes lets a key act for a reference; whatever else happens, it may not.
 * Method: a table of answers; the timer is the test's.
 */
import { describe, expect, it } from 'vitest';
import type { ApiKeyViewer } from '../domain/viewer.ts';
import type { AuthorizeCall, AuthorizeReference } from '../hooks.ts';
import { authorizer } from './authorize.ts';
import { complaints, settled, Timers } from './testing/rig.ts';

const CALL: AuthorizeCall = { apiKey: { id: 'Key00001', name: 'billing', scopes: ['ingest'] }, referenceId: 'acme' };
const KEY: ApiKeyViewer = {
  kind: 'api-key',
  tenantId: 'tenant',
  keyId: 'Key00001',
  name: 'billing',
  scopes: new Set(['ingest']),
  expiresAtMs: null,
};
const REFUSAL = {
  reason: 'NOT_AUTHORIZED',
  message: expect.stringMatching(/Key00001 may not act for "acme"; use a key/),
};

/** Configs may be JavaScript: then nothing holds a hook to its type. */
const untyped =
  (answer: unknown): AuthorizeReference =>
  async () =>
    answer as boolean;

function asking(authorizeReference: AuthorizeReference) {
  const { heard, complain } = complaints();
  const timers = new Timers();
  const authorize = authorizer({ authorizeReference }, { complain, schedule: timers.schedule });
  if (!authorize) throw new Error('there is a hook');
  return { answer: authorize(KEY, 'acme'), heard, timers };
}

describe('authorizeReference', () => {
  it('is told the key and the reference', async () => {
    const told: AuthorizeCall[] = [];
    await asking((call) => told.push(call) > 0).answer;
    expect(told).toEqual([CALL]);
  });

  it.each<readonly [string, AuthorizeReference, 'may' | 'may not', string | null]>([
    ['true', () => true, 'may', null],
    ['a promise of true', async () => true, 'may', null],
    ['false', () => false, 'may not', null],
    ['a promise of false', async () => false, 'may not', null],
    ['nothing', untyped(undefined), 'may not', 'authorize-answer'],
    ['what is like true', untyped('yes'), 'may not', 'authorize-answer'],
    ['an error', async () => Promise.reject(new Error('no')), 'may not', 'authorize-threw'],
  ])('answers %s', async (_, hook, may, complaint) => {
    const { answer, heard } = asking(hook);
    expect(await answer).toEqual(may === 'may' ? null : REFUSAL);
    expect(heard.map(({ what }) => what)).toEqual(complaint === null ? [] : [complaint]);
  });

  it('is waited for until its deadline, and then the key may not', async () => {
    const { answer, heard, timers } = asking(() => new Promise(() => {}));
    expect(await Promise.race([answer, settled().then(() => 'waiting')])).toBe('waiting');
    timers.ring(250);
    expect(await answer).toEqual(REFUSAL);
    expect(heard).toEqual([{ what: 'authorize-late', sentence: expect.stringContaining('within 250 ms') }]);
  });

  it('is of no concern to a config without one', () => {
    expect(authorizer({ authorizeReference: null }, { complain: () => {} })).toBeNull();
  });
});
