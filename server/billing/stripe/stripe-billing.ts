/** stripe-billing — all that hears of Stripe and takes money by it, joined: a biller, a door for notices, and what looks after both. */
import { setTimeout as sleep } from 'node:timers/promises';
import { accountsWaitedFor } from '../../db/queries/billing-accounts.ts';
import { tenantIds } from '../../db/queries/tenants.ts';
import { SingleRun } from '../../domain/single-run.ts';
import type { Biller } from '../biller.ts';
import { chargeTopUps } from '../top-ups.ts';
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
  readonly #runs = new SingleRun(() => this.#look());
  #isStopped = false;

  constructor(options: StripeBillingOptions) {
    this.#options = options;
    this.biller = stripeBiller(options);
  }

  /** A notice as it came in. @param header `Stripe-Signature`. */
  receive(body: Buffer, header: string | undefined): Promise<WebhookAnswer> {
    return receiveWebhook({ ...this.#options, secrets: this.#options.webhookSecrets }, body, header);
  }

  /** Charges what wallets ask for, and from time to time looks for notices that never came. Several gateways may. Never rejects. */
  run(): Promise<void> {
    return this.#runs.run();
  }

  /** Begins nothing more, and waits a little for what has begun: whatever is left half-way, the next gateway ends. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.race([this.#runs.over(), sleep(STOP_MS_MAX, undefined, { ref: false })]);
  }

  async #look(): Promise<void> {
    const { onError, clock } = this.#options;
    const isStopped = () => this.#isStopped;
    if (isStopped()) return;
    await chargeTopUps({ ...this.#options, biller: this.biller }, isStopped).catch(onError);
    const nowMs = clock.now();
    if (this.#lastSweepMs !== null && Math.abs(nowMs - this.#lastSweepMs) < SWEEP_EVERY_MS) return; // clocks go back, too
    this.#lastSweepMs = nowMs;
    await this.#sweepAll().catch(onError);
    await this.#followWaitedFor().catch(onError);
  }

  /** Usage waits to know which billing period runs: no notice has said so. */
  async #followWaitedFor(): Promise<void> {
    for (const account of await accountsWaitedFor(this.#options.database.db)) {
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
