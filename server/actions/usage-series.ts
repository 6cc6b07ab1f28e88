/** usage-series — reads use over time from rollups, under row level security. */
import { seriesRows } from '../db/queries/usage-series.ts';
import { queryIn } from '../db/query-in.ts';
import { invalidInput } from '../domain/errors.ts';
import type { Feature } from '../domain/feature.ts';
import {
  type Bucket,
  GROUPS_MAX,
  POINTS_MAX,
  type Span,
  seriesOf,
  spansBetween,
  type UsageSeries,
} from '../domain/series.ts';
import type { Deps } from './deps.ts';

export type SeriesRequest = {
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  readonly feature: Feature;
  readonly bucket: Bucket;
  /** IANA name. */
  readonly timeZone: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** One of the feature's dimensions; null for the totals alone. */
  readonly groupBy: string | null;
  /** How many groups to tell apart. */
  readonly groups: number;
};

/** @throws {MeterError} `INVALID_INPUT` for what is out of bounds, with the name of the argument. */
export async function readUsageSeries(
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  request: SeriesRequest,
): Promise<UsageSeries> {
  const { customerId, feature } = request;
  const spans = spansOf(request);
  const grouping = groupingOf(request, spans);
  const of = { tenantId, customerId, featureKey: feature.key };
  const rows = await database.readAs(tenantId, (db) => seriesRows(queryIn(db), of, spans, grouping));
  return seriesOf(feature.aggregation, spans, rows);
}

function spansOf({ bucket, timeZone, fromMs, toMs }: SeriesRequest): readonly Span[] {
  const found = spansBetween(bucket, timeZone, fromMs, toMs);
  if (found.ok) return found.spans;
  throw invalidInput([found.field], found.sentence);
}

function groupingOf({ feature, groupBy, groups }: SeriesRequest, spans: readonly Span[]) {
  if (groups < 1 || groups > GROUPS_MAX) {
    throw invalidInput(['groups'], `\`groups\` is ${groups}; from 1 to ${GROUPS_MAX} is allowed.`);
  }
  if (groupBy === null) return null;
  if (!feature.dimensions.includes(groupBy)) throw invalidInput(['groupBy'], notADimension(feature, groupBy));
  const points = spans.length * (groups + 1); // one more, for what is left over
  if (points > POINTS_MAX) {
    const sentence = `${spans.length} buckets of ${groups} groups and the rest are ${points} points; at most ${POINTS_MAX} are answered: ask for fewer groups, larger buckets or a shorter time.`;
    throw invalidInput(['groups'], sentence);
  }
  const by: 'amount' | 'largest' = feature.aggregation === 'max' ? 'largest' : 'amount';
  return { dimension: groupBy, groupsMax: groups, by };
}

function notADimension({ key, dimensions }: Feature, groupBy: string): string {
  const found = JSON.stringify(groupBy.length > 40 ? `${groupBy.slice(0, 40)}…` : groupBy);
  if (dimensions.length === 0) {
    return `\`groupBy\` is ${found}; the feature "${key}" has no dimensions: name the properties to group by as its \`dimensions\`.`;
  }
  const known = dimensions.map((name) => `"${name}"`).join(', ');
  return `\`groupBy\` is ${found}; the dimensions of the feature "${key}" are ${known}.`;
}
