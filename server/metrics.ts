/** metrics — what an operator may ask of this process, as Prometheus text. Each gateway has a registry of its own. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is read at the moment of asking. */
export type Gauges = {
  readonly queueLength: () => number;
  readonly sockets: () => number;
  readonly subscriptions: () => number;
  /** Left out, nothing is shared. */
  readonly audiences?: () => number;
  /** Left out, nobody listens. */
  readonly topics?: () => number;
  /** In seconds; left out, nothing is sent. */
  readonly webhookQueueAge?: () => number;
};

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const consumes = new Counter({
    name: 'metergraph_consumes_total',
    help: 'Answered consume calls by outcome: allowed, the reason of a denial, or the code of an error.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const consumeSeconds = new Histogram({
    name: 'metergraph_consume_duration_seconds',
    help: 'From the arrival of a consume call at the engine to its answer.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const batchSize = new Histogram({
    name: 'metergraph_batch_size',
    help: 'Consume calls in one transaction.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000],
    registers,
  });
  const batchSeconds = new Histogram({
    name: 'metergraph_batch_duration_seconds',
    help: 'From the first statement of a batch to its commit.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const fanOutDrops = new Counter({
    name: 'metergraph_fan_out_drops_total',
    help: 'Usage states given up because a slow reader of the tenant-wide feed had too many waiting.',
    registers,
  });
  const pushes = new Counter({
    name: 'metergraph_subscription_pushes_total',
    help: 'Items handed to subscribers, over WebSocket and SSE.',
    registers,
  });
  const executions = new Counter({
    name: 'metergraph_subscription_executions_total',
    help: 'Times that the document of subscribers was executed for an item: once for all who are told the same.',
    registers,
  });
  const afterHooks = new Counter({
    name: 'metergraph_after_hook_calls_total',
    help: 'Allowed calls handed to the after hook by outcome: told, failed, late, or dropped because too many waited.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const webhookDeliveries = new Counter({
    name: 'metergraph_webhook_deliveries_total',
    help: 'Tries to deliver a webhook or a mail by outcome: delivered, retried later, failed for good, or aborted by a stop.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const webhooksDisabled = new Counter({
    name: 'metergraph_webhook_endpoints_disabled_total',
    help: 'Endpoints that are sent nothing more because they are gone, or have failed for days.',
    registers,
  });
  const counts = { fastAnswers: 0 };
  const help = 'Operations over HTTP that took the short way to their answer.';
  counter(registers, 'metergraph_fast_answers_total', help, () => counts.fastAnswers);
  return {
    /** Counted by adding one: it happens in every call. */
    counts,
    consumes,
    consumeSeconds,
    batchSize,
    batchSeconds,
    fanOutDrops,
    afterHooks,
    pushes,
    executions,
    webhookDeliveries,
    webhooksDisabled,
    /** Adds the gauges, once there is something to ask. */
    observe({
      queueLength,
      sockets,
      subscriptions,
      audiences = none,
      topics = none,
      webhookQueueAge = none,
    }: Gauges): void {
      gauge(registers, 'metergraph_queue_length', 'Consume calls waiting for the next batch.', queueLength);
      gauge(registers, 'metergraph_open_sockets', 'Open WebSocket connections.', sockets);
      gauge(registers, 'metergraph_open_subscriptions', 'Open subscriptions, over WebSocket and SSE.', subscriptions);
      const alike =
        'Groups of open subscriptions that are told the same of the same item: one document, viewers alike.';
      gauge(registers, 'metergraph_subscription_audiences', alike, audiences);
      const age = 'For how long the oldest webhook that is due has waited.';
      gauge(registers, 'metergraph_webhook_queue_age_seconds', age, webhookQueueAge);
      gauge(registers, 'metergraph_watched_topics', 'Customers, feeds and bells that somebody listens to.', topics);
    },
    contentType: registry.contentType,
    text: (): Promise<string> => registry.metrics(),
  };
}

const none = (): number => 0;

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

/** What only grows, and is counted elsewhere. */
function counter(registers: Registry[], name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
