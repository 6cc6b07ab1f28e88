/** scene-questions — what a scene is asked back: as queries tell it, or as the tables hold it. */
import type { Row } from '../../server/db/client.ts';
import { formatUnits } from '../../server/domain/units.ts';
import type { Usage } from '../../server/domain/usage.ts';
import { query } from './rig.ts';
import { decimal, spellCounter, spellPeriod, spellUsage } from './scene-answers.ts';
import type { Command, Names, Stage } from './scene-commands.ts';

type Asked = Stage & {
  readonly customerId: string;
  usage(featureKey: string): Promise<Usage>;
};

type Question = (asked: Asked, featureKey: string, word: string) => Promise<string>;

const QUESTIONS: Readonly<Record<string, Question>> = {
  usage: async (asked, featureKey) => spellUsage(await asked.usage(featureKey)),
  cost: async (asked, featureKey) => formatUnits((await asked.usage(featureKey)).estimatedCost?.amount ?? 0n),
  period: async (asked, featureKey) => spellPeriod(await asked.usage(featureKey)),
  wallet: async (asked) => {
    const [row] = await rowsOf(asked, 'SELECT balance FROM wallets WHERE customer_id = $1');
    return row?.balance == null ? 'none' : decimal(row.balance);
  },
  'top-ups': async (asked) => {
    const rows = await rowsOf(
      asked,
      'SELECT state, amount FROM top_up_requests WHERE customer_id = $1 ORDER BY sequence',
    );
    return listed(rows.map(({ state, amount }) => `${state} ${decimal(amount)}`));
  },
  grants: async (asked, featureKey) => {
    const rows = await rowsOf(
      asked,
      `SELECT id, source, rolled_over, remaining, state FROM grants WHERE customer_id = $1 AND feature_key = $2
        ORDER BY priority, expires_at, created_at, id`,
      featureKey,
    );
    return listed(rows.map((row) => `${titleOf(asked.names, row)} ${decimal(row.remaining)} ${row.state}`));
  },
  drawn: async (asked, _, word) => {
    const rows = await rowsOf(
      asked,
      `SELECT grant_id AS id, sum(amount) AS units FROM postings
        WHERE customer_id = $1 AND sequence = $2 AND account = 'usage' AND grant_id IS NOT NULL GROUP BY grant_id ORDER BY min(line)`,
      asked.names.get(word) ?? '0',
    );
    return listed(rows.map(({ id, units }) => `${asked.names.nameOf(id) ?? '?'} ${decimal(units)}`));
  },
  counters: async (asked, featureKey) => {
    const rows = await rowsOf(
      asked,
      `SELECT entity_id, period_start, used, closed_at, corrected_at FROM counters
        WHERE customer_id = $1 AND feature_key = $2 ORDER BY period_start, entity_id`,
      featureKey,
    );
    return listed(rows.map(spellCounter));
  },
  alerts: async (asked) => {
    const rows = await rowsOf(asked, 'SELECT threshold_key FROM alerts WHERE customer_id = $1 ORDER BY sequence');
    return listed(rows.map(({ threshold_key }) => String(threshold_key)));
  },
};

/** What a command asks for. */
export function answerTo(asked: Asked, { verb, words, named }: Command): Promise<string> {
  const question = QUESTIONS[verb];
  if (!question) throw new Error(`there is no command "${verb}"`);
  return question(asked, named.of ?? asked.featureKey, words[0] ?? '');
}

const rowsOf = ({ rig, customerId }: Asked, text: string, ...params: string[]): Promise<Row[]> =>
  query(rig.database, text, customerId, ...params);

const listed = (texts: readonly string[]): string => texts.join(', ') || 'none';

/** By its name in this table; one that nobody named, by where it came from. */
const titleOf = (names: Names, { id, source, rolled_over }: Row): string =>
  names.nameOf(id) ?? `${source}${rolled_over === true ? ' rolled over' : ''}`;
