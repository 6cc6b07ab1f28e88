/**
 * core — the gateway without its doors: the engine, the streams, and what joins both to the database and to the other
 * gateways of it.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Change } from './actions/deps.ts';
import { Invoicer } from './billing/manual/invoicer.ts';
import { noBiller } from './billing/no-biller.ts';
import type { StripeConnection } from './billing/stripe/connection.ts';
import { StripeBilling } from './billing/stripe/stripe-billing.ts';
import type { UsageReporter } from './billing/stripe/usage/reporter.ts';
import { hearUsageNotice, REPORT_WINDOW_MS, stripeUsage } from './billing/stripe/usage/stripe-usage.ts';
import { billingEffects } from './billing-effects.ts';
import type { Invoicing } from './config-invoicing.ts';
import type { Services } from './context.ts';
import { Catalogs } from './db/catalogs.ts';
import type { Database, Query } from './db/client.ts';
import { alertsAfter } from './db/queries/alerts.ts';
import { alertSequences, catalogVersions, customerSequences } from './db/queries/positions.ts';
import { stripeAccountOf } from './db/queries/tenants.ts';
import { Upkeep } from './db/upkeep.ts';
import { type BillingRules, DEFAULT_BILLING } from './domain/billing-rules.ts';
import type { Clock } from './domain/clock.ts';
import type { BeforeDecision } from './domain/hook.ts';
import { CHANNEL, decodeMessage, hintOf, hintOfMoves, type Message } from './events/bus.ts';
import { Streams } from './events/streams.ts';
import type { Truth } from './events/truth.ts';
import { AfterCalls } from './hooks/after.ts';
import { authorizer } from './hooks/authorize.ts';
import { asyncBefore, syncBefore } from './hooks/before.ts';
import { createComplain } from './hooks/complaints.ts';
import { HookedEngine } from './hooks/hooked-engine.ts';
import { type Hooks, NO_HOOKS } from './hooks.ts';
import { Closer } from './metering/closer.ts';
import { Engine, type EngineOptions } from './metering/engine.ts';
import { Ledger } from './metering/ledger.ts';
import type { Result } from './metering/requests.ts';
import { settlerOf } from './metering/settler.ts';
import { notifyStatement } from './metering/store/save.ts';
import { UsageReader } from './metering/usage-reader.ts';
import type { Metrics } from './metrics.ts';
import { createMail, type MailOptions } from './notices/mail.ts';
import { followAlertMail } from './notices/managed-mail.ts';
import { Notices } from './notices/notices.ts';
import type { PostOptions } from './notices/post.ts';

export type CoreOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tokenSecret: Uint8Array;
  readonly engine?: Partial<EngineOptions>;
  /** Functions of the app that are asked about calls, and told of them. */
  readonly hooks?: Hooks;
  /** Whether and when billing periods become invoices here; left out, they don't. */
  readonly invoicing?: Invoicing | null;
  /** How often to look for changes that no hint has told. */
  readonly pollIntervalMs?: number;
  /** How often to look for customers of whom something is due. */
  readonly closeIntervalMs?: number;
  /** What the config says of money; left out, what is usual. */
  readonly billing?: BillingRules;
  /** Left out, nothing is billed by Stripe. */
  readonly stripe?: StripeConnection | null;
  /** How often to charge what wallets ask for. */
  readonly chargeIntervalMs?: number;
  /** How often to bring usage to Stripe. */
  readonly reportIntervalMs?: number;
  /** How long events are kept after they were recorded; left out, for ever. */
  readonly eventsKeptMs?: number | null;
  /** How webhooks are sent; left out, to the internet alone. */
  readonly webhooks?: Partial<PostOptions>;
  /** The server for mails, and who gets every alert; left out, no mail is sent. */
  readonly mail?: (MailOptions & { readonly alertsTo: string | null }) | null;
  /** How often to look for what is to be told. */
  readonly noticeIntervalMs?: number;
  /** How long a stop waits for those who are being told. */
  readonly noticeStopGraceMs?: number;
};

const POLL_INTERVAL_MS = 5_000;

const CLOSE_INTERVAL_MS = 10_000;

/** How long a wallet waits at most for the money that it has asked for. */
const CHARGE_INTERVAL_MS = 5_000;
const NOTICE_INTERVAL_MS = 2_000;

/** What Stripe takes in a second is a matter of each second. */
const REPORT_INTERVAL_MS = 1_000;

/** An embedded database works on this very thread: watchers, and whoever asks for health, wait for a batch at most. */
const EMBEDDED_BATCH_SIZE_MAX = 128;

export class Core {
  readonly services: Services;
  readonly #options: CoreOptions;
  readonly #streams: Streams;
  /** Tells this gateway's messages from those of others. */
  readonly #id = randomUUID();
  readonly #poller: NodeJS.Timeout;
  /** Settles customers whom nobody touches. */
  readonly closer: Closer;
  readonly #closing: NodeJS.Timeout;
  /** Null without Stripe. */
  readonly stripe: StripeBilling | null;
  #charging: NodeJS.Timeout | null = null;
  /** Makes invoices of billing periods that are over; null where somebody else bills, or nobody. */
  readonly invoicer: Invoicer | null;
  /** Tells other systems what happened. */
  readonly notices: Notices;
  readonly #noticing: NodeJS.Timeout;
  /** Brings usage to Stripe; null without. */
  readonly usageReporter: UsageReporter | null;
  #reporting: NodeJS.Timeout | null = null;

  constructor(options: CoreOptions, metrics: Metrics) {
    this.#options = options;
    const { database, clock, logger, tokenSecret, hooks = NO_HOOKS, pollIntervalMs = POLL_INTERVAL_MS } = options;
    this.notices = this.#createNotices(metrics);
    const catalogs = new Catalogs();
    const usageReader = new UsageReader(database, catalogs, clock);
    const streams = new Streams({
      truth: truthOf(database.query, usageReader),
      clock,
      onDrop: () => metrics.fanOutDrops.inc(),
      onError: (error) => logger.warn({ err: error }, 'changes could not be read; the next poll tries again'),
    });
    const complain = createComplain(logger, clock);
    const authorize = authorizer(hooks, { complain });
    const onOutcome = (outcome: string) => metrics.afterHooks.inc({ outcome });
    const plainEngine = this.#createEngine(catalogs, metrics, syncBefore(hooks, { complain }));
    const engine = new HookedEngine({
      engine: plainEngine,
      readMeters: (tenantId, selections) => usageReader.read(tenantId, selections),
      before: asyncBefore(hooks, { complain }),
      authorize,
      after: hooks.after && new AfterCalls(hooks.after, { complain, onOutcome }),
    });
    const announce = (change: Change) => this.#announce(change);
    this.#streams = streams;
    const settle = settlerOf(plainEngine);
    const billingRules = options.billing ?? DEFAULT_BILLING;
    const services = {
      database,
      catalogs,
      clock,
      announce,
      settle,
      tokenSecret,
      engine,
      usageReader,
      streams,
      authorize,
      billingRules,
      webhooks: { allowPrivate: options.webhooks?.allowPrivate ?? false, hasMail: Boolean(options.mail) },
    };
    this.stripe = options.stripe ? this.#joinStripe(options.stripe, services) : null;
    this.usageReporter = options.stripe ? this.#reportTo(options.stripe) : null;
    this.services = { ...services, biller: this.stripe?.biller ?? noBiller };
    this.#poller = setInterval(() => void streams.poll(), pollIntervalMs).unref();
    this.closer = new Closer({
      query: database.query,
      clock,
      engine: plainEngine,
      upkeep: new Upkeep({
        database,
        eventsKeptMs: options.eventsKeptMs ?? null,
        onError: (error) =>
          logger.warn({ err: error }, 'the database could not be looked after; the next run tries again'),
        onDropped: (months) => logger.info({ months }, 'events older than they are kept were dropped'),
      }),
      onError: (error) => logger.warn({ err: error }, 'a customer could not be settled; the next run tries again'),
    });
    this.invoicer = this.#createInvoicer();
    const close = () => void this.closer.run().then(() => this.invoicer?.run());
    this.#closing = setInterval(close, options.closeIntervalMs ?? CLOSE_INTERVAL_MS).unref();
    const noticeIntervalMs = options.noticeIntervalMs ?? NOTICE_INTERVAL_MS;
    this.#noticing = setInterval(() => void this.notices.run(), noticeIntervalMs).unref();
  }

  /** Begins to hear other gateways. */
  async listen(): Promise<void> {
    await followAlertMail(this.#options.database, this.#options.mail?.alertsTo ?? null, this.#options.clock.now());
    await this.#options.database.listen?.(
      CHANNEL,
      (payload) => this.#heard(payload),
      () => void this.#streams.poll(),
    );
    const { stripe } = this;
    if (stripe === null) return;
    void stripe.run();
    const everyMs = this.#options.chargeIntervalMs ?? CHARGE_INTERVAL_MS;
    this.#charging = setInterval(() => void stripe.run(), everyMs).unref();
    const reportMs = this.#options.reportIntervalMs ?? REPORT_INTERVAL_MS;
    this.#reporting = setInterval(() => void this.usageReporter?.run(), reportMs).unref();
  }

  /** Answers the calls it has and takes no more. */
  async drain(): Promise<void> {
    clearInterval(this.#poller);
    clearInterval(this.#closing);
    clearInterval(this.#charging ?? undefined);
    clearInterval(this.#reporting ?? undefined);
    await this.usageReporter?.stop();
    await this.stripe?.stop();
    await Promise.all([this.closer.stop(), this.invoicer?.stop()]);
    clearInterval(this.#noticing);
    await this.services.engine.drain();
    await this.notices.stop();
  }

  #joinStripe(connection: StripeConnection, services: Omit<Services, 'biller'>): StripeBilling {
    const { database, clock, logger } = this.#options;
    return new StripeBilling({
      ...connection,
      database,
      clock,
      effects: billingEffects(services, services.billingRules.dunningGraceMs),
      accountOf: (tenantId) => stripeAccountOf(database.db, tenantId),
      onThinNotice: (notice) => hearUsageNotice({ query: database.query, logger }, notice),
      onNews: (sentence, about) => logger.info(about, sentence),
      onError: (error) => logger.error({ err: error }, 'something of Stripe could not be handled; it is tried again'),
    });
  }

  #reportTo({ stripe, mode }: StripeConnection): UsageReporter {
    const { database, clock, logger } = this.#options;
    return stripeUsage({ stripe, database, clock, logger, ...(mode && { mode }) });
  }

  #createInvoicer(): Invoicer | null {
    const { invoicing, logger } = this.#options;
    if (!invoicing) return null;
    const { database, catalogs, clock, settle } = this.services;
    const onError = (error: unknown) =>
      logger.warn({ err: error }, 'a customer could not be invoiced; it is tried again in a few minutes');
    return new Invoicer({ database, catalogs, clock, settle, onError, ...invoicing });
  }

  #createEngine(catalogs: Catalogs, metrics: Metrics, before: BeforeDecision | null): Engine {
    const { database, clock, logger, engine, stripe } = this.#options;
    const ledger = new Ledger({
      database,
      catalogs,
      clock,
      before,
      onCommitted: (committed) => this.#streams.committed(committed),
      onListenerError: (error) => logger.error({ err: error }, 'a committed batch could not be told'),
      hintOf: (changes) => (database.listen ? hintOfMoves(this.#id, changes) : null),
      reportWindowMs: stripe ? REPORT_WINDOW_MS : null,
    });
    const onUnreachable = (cause: unknown) => {
      logger.error({ err: cause }, 'the database did not answer; connecting anew');
      database.lane.reset();
    };
    const onBatch = (size: number, durationMs: number) => {
      metrics.batchSize.observe(size);
      metrics.batchSeconds.observe(durationMs / 1_000);
    };
    const onAnswered = (outcome: string, durationMs: number, answer?: Result) => {
      if (answer && 'denial' in answer) this.notices.exceeded.heard(answer);
      metrics.consumes.inc({ outcome });
      metrics.consumeSeconds.observe(durationMs / 1_000);
    };
    const options = { ...(database.engine === 'pglite' && { batchSizeMax: EMBEDDED_BATCH_SIZE_MAX }), ...engine };
    return new Engine({ ledger, clock, onUnreachable, onBatch, onAnswered }, options);
  }

  #createNotices(metrics: Metrics): Notices {
    const { database, clock, logger, webhooks, mail, noticeStopGraceMs } = this.#options;
    return new Notices({
      database,
      clock,
      post: { allowPrivate: false, ...webhooks },
      mail: mail ? createMail(mail) : null,
      ...(noticeStopGraceMs !== undefined && { stopGraceMs: noticeStopGraceMs }),
      onOutcome: (outcome) => metrics.webhookDeliveries.inc({ outcome }),
      onDisabled: (disabled) => {
        metrics.webhooksDisabled.inc();
        logger.warn(disabled, 'a webhook endpoint is sent nothing more');
      },
      onError: (error) => logger.warn({ err: error }, 'webhooks could not be looked after; the next run tries again'),
    });
  }

  #announce(change: Change): void {
    const message: Message = { from: this.#id, ...change };
    this.#streams.heard(message);
    const { database, logger } = this.#options;
    if (!database.listen) return;
    database
      .query(notifyStatement(hintOf(message)))
      .catch((error: unknown) => logger.warn({ err: error }, 'other gateways were not told; their poll will find out'));
  }

  #heard(payload: string): void {
    const message = decodeMessage(payload);
    if (message && message.from !== this.#id) this.#streams.heard(message);
  }
}

function truthOf(query: Query, usageReader: UsageReader): Truth {
  return {
    meters: (tenantId, selections) => usageReader.read(tenantId, selections),
    alertsAfter: (position, limit) => alertsAfter(query, position, limit),
    alertSequences: (tenantIds) => alertSequences(query, tenantIds),
    customerSequences: (customerIds) => customerSequences(query, customerIds),
    catalogVersions: (tenantIds) => catalogVersions(query, tenantIds),
  };
}
