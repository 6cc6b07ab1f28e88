/** operation-params — what a body asks for, where it says so in the plain way. */

export type OperationParams = {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
};

/** What a body may have beside these is yoga's to refuse. */
const NAMES: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/** @returns null for what is no JSON, or no request of this shape. */
export function paramsOf(body: Buffer): OperationParams | null {
  const parsed = parse(body);
  if (!isObject(parsed)) return null;
  for (const name in parsed) if (!NAMES.has(name)) return null;
  const { query, operationName = null, variables = null, extensions = null } = parsed;
  if (typeof query !== 'string' || !(operationName === null || typeof operationName === 'string')) return null;
  if (!(variables === null || isObject(variables)) || !(extensions === null || isObject(extensions))) return null;
  return { query, operationName, variables: variables ?? {} };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
