/** scene-commands — the short commands of a scene, and the requests that they make. */
import { randomUUID } from 'node:crypto';
import type { Reset } from '../../server/domain/period.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import type { ConsumeRequest, GrantRequest, Request, ReserveRequest } from '../../server/metering/requests.ts';
import type { Rig } from './rig.ts';

/** `verb word word name=value`. */
export type Command = {
  readonly verb: string;
  readonly words: readonly string[];
  readonly named: Readonly<Record<string, string>>;
};

export function parse(line: string): Command {
  const [verb = '', ...rest] = line.split(' ');
  const isNamed = (word: string): boolean => /^[a-z]+=/.test(word);
  const pairs = rest
    .filter(isNamed)
    .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1).replaceAll('_', ' ')]);
  return { verb, words: rest.filter((word) => !isNamed(word)), named: Object.fromEntries(pairs) };
}

/** Sequences, grants and holds by the names that commands give them. */
export class Names {
  readonly #known = new Map<string, string>();

  set(name: string, id: string): void {
    this.#known.set(name, id);
  }

  get(name: string): string | undefined {
    return this.#known.get(name);
  }

  /** The id of a grant or hold; a new one for a name not heard before. */
  idOf(name: string): string {
    const id = this.#known.get(name) ?? randomUUID();
    this.#known.set(name, id);
    return id;
  }

  nameOf(id: unknown): string | null {
    for (const [name, known] of this.#known) if (known === id) return name;
    return null;
  }
}

/** Where a command is said. */
export type Stage = { readonly rig: Rig; readonly featureKey: string; readonly names: Names };

export const isUse = (verb: string): boolean => verb === 'use' || verb === 'record' || verb === 'reserve';

/** The request of `use`, `record` and `reserve`. */
export function useOf(
  { rig, featureKey, names }: Stage,
  { verb, words, named }: Command,
): ConsumeRequest | ReserveRequest {
  const isHold = verb === 'reserve';
  const amount = isHold ? words[1] : words[0];
  const consume = rig.call('acme', {
    purpose: verb === 'record' ? 'record' : 'use',
    featureKey: named.of ?? featureKey,
    amount: amount?.startsWith('P') ? ONE : unitsOf(amount ?? '1'),
    duration: amount?.startsWith('P') ? amount : null,
    mode: modeOf(named.mode),
    overrideKey: named.plan ?? null,
    entityId: named.by ?? null,
    occurredAtMs: msOf(named.at),
    idempotencyKey: named.key ?? null,
    properties: named.user === undefined ? null : JSON.stringify({ user: named.user }),
  });
  if (!isHold) return consume;
  const { purpose: _, occurredAtMs: __, ...use } = consume;
  const ttlMs = 1_000 * Number(named.for ?? '900');
  return { ...use, kind: 'reserve', reservationId: names.idOf(words[0] ?? ''), ttlMs };
}

/** The request of every other command that is one; null for those that ask, or move the clock. */
export function requestOf(stage: Stage, { verb, words, named }: Command): Request | null {
  const [first = '', second] = words;
  const { names } = stage;
  const { tenantId, customerId, referenceId } = stage.rig.call('acme');
  const from = { tenantId, customerId, referenceId, idempotencyKey: named.key ?? null };
  const featureKey = named.of ?? stage.featureKey;
  switch (verb) {
    case 'commit': {
      const amount = second === undefined ? null : unitsOf(second);
      return { ...from, kind: 'commit', reservationId: names.idOf(first), amount, mode: modeOf(named.mode) };
    }
    case 'release':
      return { ...from, kind: 'release', reservationId: names.idOf(first) };
    case 'grant':
      return {
        ...from,
        kind: 'grant',
        grantId: names.idOf(first),
        featureKey,
        source: 'purchase',
        amount: unitsOf(second ?? '1'),
        priority: named.priority === undefined ? null : Number(named.priority),
        effectiveFromMs: msOf(named.from),
        expiresAtMs: msOf(named.until),
        recurring: recurringOf(named),
        settlesOverage: named.settles === 'overage',
      };
    case 'void':
      return { ...from, kind: 'void-grant', grantId: names.idOf(first) };
    case 'top-up':
      return { ...from, kind: 'top-up', currency: 'usd', amount: unitsOf(first) };
    case 'floor':
      return { ...from, kind: 'set-wallet', currency: 'usd', floor: first === 'plan' ? null : unitsOf(first) };
    case 'top-up-was':
      return { ...from, kind: 'settle-top-up', currency: 'usd', outcome: first as 'paid' | 'failed' }; // one of the two
    case 'reverse':
      return { ...from, kind: 'reverse', sequence: BigInt(names.get(first) ?? first) };
    case 'reset':
      return { ...from, kind: 'reset', featureKey };
    case 'settle':
      return { ...from, kind: 'settle' };
    default:
      return null;
  }
}

const modeOf = (word = 'REJECT') => word as ConsumeRequest['mode']; // tests write modes right
const msOf = (iso: string | undefined): number | null => (iso === undefined ? null : Date.parse(iso));

const recurringOf = ({ every, renewal }: Command['named']): GrantRequest['recurring'] =>
  every === undefined ? null : { reset: every as Reset, onRenewal: renewalOf(renewal) }; // tests write resets right

/** `reset`, `add`, or the most that rolls over. */
function renewalOf(word = 'reset') {
  if (word === 'reset' || word === 'add') return word;
  return { max: unitsOf(word), maxFraction: null, expiresAfter: null };
}
