/**
 * Goal: docs/metering.md says no number that the code does not say. Method: read its tables, run each row through the rule
 * that it is about, or through an engine on PGlite, and compare the last column.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { openEmbedded } from '../support/engines.ts';
import { type Cases, casesOf } from '../support/worked-examples.ts';
import { BOUNDS, RULES } from './documented-rules.ts';
import { DocumentedScene } from './documented-scene.ts';
import { expectConsistent } from './promises.ts';

const PAGE = fileURLToPath(new URL('../../docs/metering.md', import.meta.url));
const TABLES = casesOf(readFileSync(PAGE, 'utf8'));

/** A row but for its answer: the last column, or the one before `because`. */
const answerAt = ({ head }: Cases): number => (head.at(-1) === 'because' ? head.length - 2 : head.length - 1);

/** The rows as the code would write them, given who answers. */
async function rowsAsTold(cases: Cases, tell: (cells: readonly string[]) => string | Promise<string>) {
  const told: string[] = [];
  for (const row of cases.rows) {
    const at = answerAt(cases);
    told.push(row.with(at, await tell(row.slice(0, at))).join(' | '));
  }
  return told;
}

const asWritten = ({ rows }: Cases): readonly string[] => rows.map((row) => row.join(' | '));

describe('the rules', () => {
  it.each(TABLES.filter(({ runner }) => runner !== 'calls').map((cases) => [cases.title, cases] as const))(
    '%s',
    async (_, cases) => {
      const rule = RULES[cases.runner];
      if (!rule)
        throw new Error(`nobody knows "${cases.runner}"; the rules are ${Object.keys(RULES).join(', ')}, and calls`);
      expect(await rowsAsTold(cases, (cells) => rule(cells, cases))).toEqual(asWritten(cases));
    },
  );

  it('names every bound, and no other', () => {
    const named = TABLES.filter(({ runner }) => runner === 'bound').flatMap(({ rows }) => rows.map(([name]) => name));
    expect(named).toEqual(Object.keys(BOUNDS));
  });
});

describe('the engine', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openEmbedded();
  });

  it.each(TABLES.filter(({ runner }) => runner === 'calls').map((cases) => [cases.title, cases] as const))(
    '%s',
    async (_, cases) => {
      const scene = await DocumentedScene.open(database, cases);
      expect(await rowsAsTold(cases, ([command = '']) => scene.tell(command))).toEqual(asWritten(cases));
      await expectConsistent(database, scene.customerId, scene.tenantId);
    },
  );
});
