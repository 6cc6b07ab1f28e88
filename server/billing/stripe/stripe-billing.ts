/** stripe-billing — all that hears of Stripe and takes money by it, joined: a biller, a door for notices, and what looks after both. */
import { setTimeout as sleep } from 'node:timers/promises';
import { accountsToFollow, accountsWaitedFor } from '../../db/queries/billing-accounts.ts';
import { tenantIds } from '../../db/queries/tenants.ts';
import { SingleRun } from '../../domain/single-run.ts';
import type { Biller } from '../biller.ts';
import { chargeTopUps, type PendingTopUps } from '../top-ups.ts';
import type { StripeDeps } from './deps.ts';
import { followAccount } from './inbound/follow.ts';
import type { InboxDeps } from './inbound/inbox.ts';
import { sweep } from './inbound/sweep.ts';
import { receiveWebhook, type WebhookAnswer } from './inbound/webhook.ts';
import { stripeBiller } from './stripe-biller.ts';

export type StripeBillingOptions = StripeDeps & {
  /** Of the endpoint that notices come to; two while they are rotated, none where it is not set up. */
  readonly webhookSecrets: readonly string[];
  readonly onThinNotice: InboxDeps['onThinNotice'];
  /** What could not be done now, and is tried again. */
  readonly onError: (error: unknown) => void;
};

/** What is missed is noticed after so long at most; Stripe counts each look as a request. */
const SWEEP_EVERY_MS = 5 * 60_000;
/** A gateway that closes has 8 s for all. */
const STOP_MS_MAX = 2_000;

export class StripeBilling {
  readonly biller: Biller;
  readonly #options: StripeBillingOptions;
  #lastSweepMs: number | null = null;
  readonly #charges = new SingleRun(() => this.#charge());
  readonly #looks = new SingleRun(() => this.#look());
  readonly #pending: PendingTopUps = new Map();
  #isStopped = false;

  constructor(options: StripeBillingOptions) {
    this.#options = options;
    this.biller = stripeBiller(options);
  }

  /** A notice as it came in. @param header `Stripe-Signature`. */
  receive(body: Buffer, header: string | undefined): Promise<WebhookAnswer> {
    return receiveWebhook({ ...this.#options, secrets: this.#options.webhookSecrets }, body, header);
  }

  /**
   * Charges what wallets ask for, and from time to time looks for notices that never came; neither waits for the other.
   * Several gateways may. Never rejects.
   */
  async run(): Promise<void> {
    await Promise.all([this.#charges.run(), this.#looks.run()]);
  }

  /** Begins nothing more, and waits a little for what has begun: whatever is left half-way, the next gateway ends. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const over = Promise.all([this.#charges.over(), this.#looks.over()]);
    await Promise.race([over, sleep(STOP_MS_MAX, undefined, { ref: false })]);
  }

  async #charge(): Promise<void> {
    const isStopped = () => this.#isStopped;
    if (isStopped()) return;
    await chargeTopUps({ ...this.#options, biller: this.biller, pending: this.#pending }, isStopped).catch(
      this.#options.onError,
    );
  }

  async #look(): Promise<void> {
    const { onError, clock } = this.#options;
    if (this.#isStopped) return;
    const nowMs = clock.now();
    if (this.#lastSweepMs !== null && Math.abs(nowMs - this.#lastSweepMs) < SWEEP_EVERY_MS) return; // clocks go back, too
    this.#lastSweepMs = nowMs;
    await this.#sweepAll().catch(onError);
    await this.#followAll(accountsToFollow).catch(onError);
    await this.#followAll(accountsWaitedFor).catch(onError);
  }

  /** Customers whose subscription is to a plan that was not there, and is now; or whose usage waits to know which period runs. */
  async #followAll(accountsOf: typeof accountsToFollow): Promise<void> {
    for (const account of await accountsOf(this.#options.database.db)) {
      if (!this.#isStopped) await followAccount(this.#options, account).catch(this.#options.onError);
    }
  }

  async #sweepAll(): Promise<void> {
    const isStopped = () => this.#isStopped;
    for (const account of await this.#accounts()) {
      if (!isStopped()) await sweep(this.#options, account, isStopped).catch(this.#options.onError);
    }
  }

  /** The platform's own, and those that tenants have connected. */
  async #accounts(): Promise<ReadonlySet<string | null>> {
    const { database, accountOf } = this.#options;
    const ids = await tenantIds(database.db);
    return new Set([null, ...(await Promise.all(ids.map(accountOf)))]);
  }
}
