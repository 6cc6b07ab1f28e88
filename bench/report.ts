/** report — a run as Markdown tables: medians, how far the rounds lay apart, ratios taken inside each round. */
import type { Measure, Ratio, Row } from './rows.ts';
import type { CheckedBooks, Round, Run, Sample } from './samples.ts';
import { median, type Spread, spread } from './statistics.ts';
import { figure, range, table, whole } from './table.ts';
import { verdict } from './target.ts';

/** With fewer sound rounds than that, all rounds are shown. */
const SOUND_ROUNDS_MIN = 3;

export function report(run: Run): string {
  const rounds = roundsShown(run.rounds);
  const parts = [
    machineLines(run, rounds),
    rowTable(run.rows, rounds),
    openTable(run.rows, rounds),
    healthTable(run.rows, rounds),
    ratioTable(run.ratios, rounds),
    booksLine(run.books),
    refusals(run.rounds),
    run.failure === null ? '' : `ENDED EARLY in ${run.failure}`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Whether it came to its end, every answer was "allowed", and every database holds exactly those. */
export const isSound = ({ failure, rounds, books }: Run): boolean =>
  failure === null &&
  rounds.every(({ samples }) => samples.every(({ refused }) => refused === 0)) &&
  books.every(({ books: { agree } }) => agree);

function roundsShown(rounds: readonly Round[]): readonly Round[] {
  const sound = rounds.filter(({ spoiltBy }) => spoiltBy === null);
  return sound.length >= SOUND_ROUNDS_MIN ? sound : rounds;
}

function machineLines(run: Run, shown: readonly Round[]): string {
  const { machine, rounds, measureMs, warmUpMs } = run;
  const spoilt = rounds.filter(({ spoiltBy }) => spoiltBy !== null);
  const settings = Object.entries(machine.postgresSettings).map(([name, value]) => `${name}=${value}`);
  const calibration = spread(rounds.flatMap(({ calibrationMs }) => calibrationMs));
  const write = spread(rounds.map(({ durableWriteMs }) => durableWriteMs));
  const load = spread(rounds.map(({ loadAverage }) => loadAverage));
  const others = spread(rounds.flatMap(({ samples }) => samples.flatMap(({ othersShare }) => othersShare ?? [])));
  return [
    `- ${run.startedAt}, commit ${machine.commit}, \`${run.command}\``,
    ...run.missing.map(({ server, why }) => `- no rows of ${server}: ${why}`),
    ...run.against.map(({ server, commit }) => `- ${server}: commit ${commit}`),
    `- ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, PGlite ${machine.pglite}`,
    `- Postgres ${machine.postgres}: ${settings.join(', ')}`,
    `- ${rounds.length} rounds, ${measureMs / 1_000} s a row after ${warmUpMs / 1_000} s of warm-up, all on this machine over loopback`,
    `- one durable write ${figure(write.median)} ms (${figure(write.min)}–${figure(write.max)}); calibration ${range(calibration)} ms; load average ${range(load)}`,
    ...(Number.isFinite(others.median) ? [`- other processes took ${range(times(others, 100))} % of the machine`] : []),
    `- spoilt rounds: ${spoilt.map(({ number, spoiltBy }) => `${number} (${spoiltBy})`).join('; ') || 'none'}${spoilt.length === 0 ? '' : `; shown are ${shown.length} rounds${shown.length === rounds.length ? ', those too' : ''}`}`,
  ].join('\n');
}

function rowTable(rows: readonly Row[], rounds: readonly Round[]): string {
  const closed = rows.filter(({ pace }) => pace === null);
  const lines = closed.map(({ name }) => {
    const samples = rounds.flatMap((round) => sampleOf(round, name) ?? []);
    const calls = spread(samples.map(({ callsPerSecond }) => callsPerSecond));
    const of = (read: (sample: Sample) => number | null) => medianOrDash(samples, read);
    return [
      name,
      whole(calls.median),
      `${whole(calls.min)}–${whole(calls.max)}`,
      of((s) => s.p50Ms),
      of((s) => s.p99Ms),
      of((s) => s.batchSize),
      of((s) => s.serverCpuUs),
      of((s) => s.databaseCpuUs),
      of((s) => s.loadCpuUs),
    ];
  });
  const head = [
    'row, connections',
    'calls/s',
    'min–max',
    'p50 ms',
    'p99 ms',
    'batch',
    'server µs',
    'database µs',
    'load µs',
  ];
  return `${table(head, lines)}\n\nµs: processor time a call, of the server, of its database and of the load process.`;
}

function openTable(rows: readonly Row[], rounds: readonly Round[]): string {
  const open = rows.filter(({ pace }) => pace !== null);
  if (open.length === 0) return '';
  const lines = open.map(({ name }) => {
    const samples = rounds.flatMap((round) => sampleOf(round, name) ?? []);
    const of = (read: (sample: Sample) => number | null) => medianOrDash(samples, read);
    const worst = spread(samples.map(({ p99Ms }) => p99Ms)).max;
    return [
      name,
      of((s) => s.requestsPerSecond),
      of((s) => s.callsPerSecond),
      of((s) => s.p50Ms),
      of((s) => s.p99Ms),
      of((s) => s.p999Ms),
      samples.length === 0 ? '–' : figure(worst),
    ];
  });
  const head = ['open loop, connections', 'due/s', 'calls/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'worst round p99 ms'];
  return `${table(head, lines)}\n\nms: from when a call was due, however long it waited for a free connection.`;
}

function healthTable(rows: readonly Row[], rounds: readonly Round[]): string {
  const lines = rows.flatMap(({ name, health }) => {
    const waits = rounds.flatMap((round) => sampleOf(round, name)?.health ?? []);
    if (health === null || waits.length === 0) return [];
    const [p50, p99] = [median(waits.map(({ p50Ms }) => p50Ms)), spread(waits.map(({ p99Ms }) => p99Ms))];
    return [[name, figure(p50), figure(p99.median), figure(p99.max), verdict(health.p99Ms, p99.median)]];
  });
  if (lines.length === 0) return '';
  const head = ['health, asked beside', 'p50 ms', 'p99 ms', 'worst round p99 ms', 'wanted'];
  return `${table(head, lines)}\n\nms: from when it was due to be asked, a hundred times a second: as long as the event loop, or a busy machine, keeps anybody waiting.`;
}

function ratioTable(ratios: readonly Ratio[], rounds: readonly Round[]): string {
  const lines = ratios.flatMap((ratio) => {
    const values = rounds.flatMap((round) => ratioIn(ratio, round) ?? []);
    if (values.length === 0) return [];
    const { median: middle, min, max } = spread(values);
    const { says, of, over, target } = ratio;
    const ends = `${figure(min)}–${figure(max)}`;
    return [[says, `${of} / ${over}`, OF[ratio.measure], figure(middle), ends, verdict(target, middle)]];
  });
  return table(['ratio, taken inside each round', 'rows', 'of', 'median', 'min–max', 'wanted'], lines);
}

/** What a ratio is taken of. */
const OF: Readonly<Record<Measure, string>> = { calls: 'calls/s', cpu: 'µs', p50: 'p50 ms' };

function ratioIn({ of, over, measure }: Ratio, round: Round): number | null {
  const [above, below] = [sampleOf(round, of), sampleOf(round, over)];
  if (!above || !below || below.callsPerSecond === 0) return null; // nothing was answered in time
  if (measure === 'calls') return above.callsPerSecond / below.callsPerSecond;
  if (measure === 'p50') return above.p50Ms / below.p50Ms;
  const [aboveUs, belowUs] = [cpuUs(above), cpuUs(below)];
  return aboveUs === null || belowUs === null ? null : aboveUs / belowUs;
}

/** Of a call, in the server and in its database. */
const cpuUs = ({ serverCpuUs, databaseCpuUs }: Sample): number | null =>
  serverCpuUs === null || databaseCpuUs === null ? null : serverCpuUs + databaseCpuUs;

const sampleOf = ({ samples }: Round, name: string): Sample | undefined => samples.find(({ row }) => row === name);

function booksLine(checked: readonly CheckedBooks[]): string {
  const wrong = checked.filter(({ books }) => !books.agree);
  const last = new Map(checked.map((check) => [check.server, check]));
  const totals = [...last.values()].map(
    ({ server, books: { accepted, alerts } }) =>
      `${server} ${whole(accepted)}${alerts === null ? '' : ` (${whole(alerts)} alerts)`}`,
  );
  if (wrong.length === 0) {
    return `Books: counters = events = answers (where a server has them) = accepted calls, replays aside, in all ${checked.length} checks; accepted in all: ${totals.join(', ')}.`;
  }
  return wrong
    .map(({ server, afterRound, books }) => `BOOKS DIFFER, ${server}, round ${afterRound}: ${JSON.stringify(books)}`)
    .join('\n');
}

function refusals(rounds: readonly Round[]): string {
  return rounds
    .flatMap(({ number, samples }) =>
      samples
        .filter(({ refused }) => refused > 0)
        .map(
          ({ row, refused, firstRefusal }) =>
            `REFUSED, ${row}, round ${number}: ${refused} calls; first: ${firstRefusal}`,
        ),
    )
    .join('\n');
}

function medianOrDash(samples: readonly Sample[], read: (sample: Sample) => number | null): string {
  const values = samples.flatMap((sample) => read(sample) ?? []);
  return values.length === 0 ? '–' : figure(median(values));
}

const times = ({ median: middle, min, max }: Spread, factor: number): Spread => {
  return { median: middle * factor, min: min * factor, max: max * factor };
};
