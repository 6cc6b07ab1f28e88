/** rows — what is measured of other checkouts: each row directly after the same row of this one. */
import { BEFORE, type BeforeName, type Ratio, type Row, row } from '../rows.ts';

const COMPARED = [
  { connections: 64, customers: 'hot', says: 'one hot customer' },
  { connections: 64, customers: 'spread', says: '10,000 customers' },
  { connections: 256, customers: 'hot', says: 'one hot customer' },
] as const;

/** Not slower by more than a tenth. */
const CALLS_AT_LEAST = 0.9;
const CPU_AT_MOST = 1.1;

/** @param count Of checkouts to compare with. */
export function withBefore(rows: readonly Row[], count: number): readonly Row[] {
  return rows.flatMap((now) => [now, ...beforeNames(count).flatMap((server) => rowLike(now, server) ?? [])]);
}

function rowLike(now: Row, server: BeforeName): Row | null {
  const compared = COMPARED.find(({ connections, customers }) => now.name === nowName(connections, customers));
  return compared ? row(server, compared.connections, compared.customers) : null;
}

export const ratiosToBefore = (count: number): readonly Ratio[] =>
  beforeNames(count).flatMap((server) =>
    COMPARED.flatMap(({ connections, customers, says }): Ratio[] => {
      const rows = { of: nowName(connections, customers), over: row(server, connections, customers).name };
      return [
        { ...rows, says: `${says}, of ${server}`, measure: 'calls', target: { atLeast: CALLS_AT_LEAST }, isKey: true },
        {
          ...rows,
          says: `${says}, processor time of ${server}`,
          measure: 'cpu',
          target: { atMost: CPU_AT_MOST },
          isKey: true,
        },
      ];
    }),
  );

const beforeNames = (count: number): readonly BeforeName[] => BEFORE.slice(0, count);
const nowName = (connections: number, customers: 'hot' | 'spread'): string =>
  row('postgres', connections, customers).name;
