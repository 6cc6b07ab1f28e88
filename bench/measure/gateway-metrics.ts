/** gateway-metrics — the gateway's own counts, read from its `/metrics`. */

export type GatewayMetrics = {
  /** Calls that were allowed, since the process began. */
  readonly allowed: number;
  readonly batches: number;
  /** Calls in all those batches. */
  readonly batched: number;
};

export async function readMetrics(url: string): Promise<GatewayMetrics> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url}/metrics answered ${response.status}`);
  const text = await response.text();
  return {
    allowed: sample(text, 'metergraph_consumes_total{outcome="allowed"}'),
    batches: sample(text, 'metergraph_batch_size_count'),
    batched: sample(text, 'metergraph_batch_size_sum'),
  };
}

/** 0 for a sample that is not there: a labelled one appears with its first event. */
function sample(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length));
}
