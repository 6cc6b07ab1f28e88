/**
 * sync — makes a tenant's catalog at Stripe what it should be, or tells in what it differs.
 *
 * It looks, does what is missing, and looks again, until nothing is: so it may be ended at any point and run again, and
 * several may run at once. Each of them looks after its own last change, so whoever is last leaves everything right.
 */
import { type ActualCatalog, type Reader, readActual } from './actual.ts';
import { apply } from './apply.ts';
import { isRefusal, mayPass, syncErrorOf } from './calls.ts';
import { type Change, lineOfChange } from './change.ts';
import type { DesiredCatalog } from './desired.ts';
import { type Difference, differenceOf, meterFor } from './difference.ts';
import { StripeSyncError } from './sync-error.ts';

/** Enough for what fails in passing and for others who run at once; more means that somebody undoes what is done. */
const ROUNDS_MAX = 8;

export type SyncReport = {
  /** In the order in which they were made. */
  readonly changes: readonly Change[];
  /** How many objects were as they should be before. */
  readonly unchanged: number;
};

/** @throws {StripeSyncError} when Stripe can't be read. */
export async function compareCatalog(reader: Reader, desired: DesiredCatalog): Promise<Difference> {
  return differenceOf(desired, await read(reader, desired));
}

/**
 * @param onChange Told each change after it is made.
 * @throws {StripeSyncError} with what was in the way; what was done before is kept.
 */
export async function syncCatalog(
  reader: Reader,
  desired: DesiredCatalog,
  onChange: (change: Change) => void = () => {},
): Promise<SyncReport> {
  const made: Change[] = [];
  let unchangedBefore: number | null = null;
  let failed: Failed | null = null;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const actual = await read(reader, desired);
    const { changes, unchanged, inTheWay } = differenceOf(desired, actual);
    if (inTheWay.length > 0) throw new StripeSyncError('in_the_way', inTheWay.join('\n'));
    unchangedBefore ??= unchanged;
    if (changes.length === 0) return { changes: made, unchanged: unchangedBefore };
    const failure = await applyAll({ ...reader, round, meterIds: meterIdsOf(desired, actual) }, changes, (change) => {
      made.push(change);
      onChange(change);
    });
    if (failure && isHopeless(failure, failed)) throw syncErrorOf(failure.error, failure.doing);
    failed = failure;
  }
  throw failed
    ? syncErrorOf(failed.error, failed.doing)
    : new StripeSyncError(
        'unsettled',
        'Something undoes at Stripe what is done: another sync with another config, or somebody in the dashboard. Run one at a time.',
      );
}

type Failed = { readonly error: unknown; readonly doing: string };

/** In order, to the first that fails: what comes after may need it. */
async function applyAll(
  applier: Parameters<typeof apply>[0],
  changes: readonly Change[],
  onChange: (change: Change) => void,
): Promise<Failed | null> {
  for (const change of changes) {
    try {
      await apply(applier, change);
    } catch (error) {
      return { error, doing: doingOf(change) };
    }
    onChange(change);
  }
  return null;
}

/**
 * A failure that passes, and a refusal of what another did first, are looked at again. The same refusal a second time is
 * one of what we ask for.
 */
function isHopeless({ error, doing }: Failed, earlier: Failed | null): boolean {
  if (mayPass(error)) return false;
  return !isRefusal(error) || (earlier?.doing === doing && isRefusal(earlier.error));
}

const doingOf = (change: Change): string => {
  const { noun, name } = lineOfChange(change);
  return `${change.kind.slice(0, change.kind.indexOf('_'))} the ${noun} ${name}`;
};

const meterIdsOf = (desired: DesiredCatalog, { meters }: ActualCatalog): Map<string, string> =>
  new Map(
    desired.meters.flatMap(({ eventName }) => {
      const meter = meterFor(eventName, meters);
      return meter ? [[eventName, meter.id] as const] : [];
    }),
  );

async function read(reader: Reader, desired: DesiredCatalog): Promise<ActualCatalog> {
  try {
    return await readActual(reader, desired);
  } catch (error) {
    throw syncErrorOf(error, 'list what is there');
  }
}
