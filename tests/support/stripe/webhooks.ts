/**
 * webhooks — events on their way to whoever has an endpoint, signed as Stripe signs them. They wait until a test delivers
 * them: in what order, how often and how late is for the test to say, or they go out at once and in order.
 */
import Stripe from 'stripe';
import type { Account, Event, Listener, ThinEvent } from './account.ts';
import type { World } from './world.ts';

export type EndpointOptions = {
  /** Default `whsec_fake`. */
  readonly secret?: string;
  /** `invoice.paid`, or `*`, which is the default. */
  readonly events?: readonly string[];
  /** Thin events, which the others are not sent. Default false. */
  readonly isThin?: boolean;
  /** Events of connected accounts, in place of the platform's own. Default false. */
  readonly isConnect?: boolean;
};

type Endpoint = Required<EndpointOptions> & { readonly url: string };

export type Delivery = { readonly endpoint: Endpoint; readonly event: Event | ThinEvent; readonly account: string };

/** How an endpoint took it: its status, or 0 where there was no answer. */
export type Attempt = Delivery & { readonly status: number };

export type DeliverOptions = {
  /** Which of those that wait, and in which order; an event that is there twice is sent twice. Default all, as they came. */
  readonly pick?: (waiting: readonly Delivery[]) => readonly Delivery[];
  /** Seconds since 1970 that the signature tells; default now. Late deliveries are signed anew, replayed ones are not. */
  readonly signedAt?: number;
  /** In place of the endpoint's own. */
  readonly secret?: string;
};

const SUCCESS = { from: 200, to: 299 };

export class Webhooks {
  /** Every attempt, in order. */
  readonly attempts: Attempt[] = [];
  readonly #world: World;
  readonly #endpoints: Endpoint[] = [];
  #waiting: Delivery[] = [];
  #isAutomatic = false;
  #going: Promise<unknown> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
    world.listeners.add(this.#hear);
  }

  /** From now on, events are for this URL too. */
  to(url: string, options: EndpointOptions = {}): void {
    this.#endpoints.push({ url, secret: 'whsec_fake', events: ['*'], isThin: false, isConnect: false, ...options });
  }

  /** Those that were not delivered, or were refused. */
  get waiting(): readonly Delivery[] {
    return this.#waiting;
  }

  /** Delivers one after the other. What is refused waits on. */
  async deliver({ pick = (all) => all, signedAt, secret }: DeliverOptions = {}): Promise<Attempt[]> {
    const picked = pick(this.#waiting);
    const attempts: Attempt[] = [];
    for (const delivery of picked) attempts.push(await this.#send(delivery, signedAt, secret));
    const taken = new Set(attempts.filter(isTaken).map(({ endpoint, event }) => keyOf(endpoint, event)));
    this.#waiting = this.#waiting.filter(({ endpoint, event }) => !taken.has(keyOf(endpoint, event)));
    return attempts;
  }

  /** Again, also what was taken: whatever the test says, be it days old. */
  async resend(deliveries: readonly Delivery[], signedAt?: number): Promise<Attempt[]> {
    const attempts: Attempt[] = [];
    for (const delivery of deliveries) attempts.push(await this.#send(delivery, signedAt));
    return attempts;
  }

  /** Nobody ever hears of these: their endpoint was down for longer than Stripe tries. */
  lose(which: (delivery: Delivery) => boolean = () => true): void {
    this.#waiting = this.#waiting.filter((delivery) => !which(delivery));
  }

  /** From now on each event goes out as it happens, or no more. */
  automatically(isAutomatic = true): void {
    this.#isAutomatic = isAutomatic;
  }

  /** When nothing is on its way any more. */
  async idle(): Promise<void> {
    for (let going: unknown; going !== this.#going; ) {
      going = this.#going;
      await this.#going;
    }
  }

  readonly #hear: Listener = (event, account) => {
    for (const endpoint of [...this.#endpoints, ...registeredOf(account)]) {
      if (!isFor(endpoint, event, account)) continue;
      this.#waiting.push({ endpoint, event, account: account.id });
    }
    if (this.#isAutomatic) this.#going = this.#going.then(() => this.deliver());
  };

  async #send(delivery: Delivery, signedAt?: number, secret?: string): Promise<Attempt> {
    const { endpoint, event } = delivery;
    const payload = JSON.stringify(endpoint.isThin ? notificationOf(event) : event, null, 2);
    const timestamp = signedAt ?? Math.floor(this.#world.now() / 1_000);
    const signature = Stripe.webhooks.generateTestHeaderString({
      payload,
      secret: secret ?? endpoint.secret,
      timestamp,
    });
    const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature };
    const status = await fetch(endpoint.url, { method: 'POST', body: payload, headers, redirect: 'manual' }).then(
      (response) => response.status,
      () => 0,
    );
    const attempt = { ...delivery, status };
    this.attempts.push(attempt);
    return attempt;
  }
}

const isTaken = ({ status }: Attempt): boolean => status >= SUCCESS.from && status <= SUCCESS.to;

const keyOf = ({ url }: Endpoint, { id }: Event | ThinEvent): string => `${url} ${id}`;

function isFor({ isThin, isConnect, events }: Endpoint, event: Event | ThinEvent, account: Account): boolean {
  const fits = events.some((wanted) => wanted === '*' || wanted === event.type);
  return fits && isThin === (event.object === 'v2.core.event') && isConnect === account.isConnected;
}

/** Those that were made over the API. */
const registeredOf = (account: Account): Endpoint[] =>
  account.webhookEndpoints
    .all(({ status }) => status === 'enabled')
    .map(({ url, secret = '', enabled_events: events }) => ({
      url,
      secret,
      events,
      isThin: false,
      isConnect: account.isConnected,
    }));

/** A thin event tells what happened to what, and nothing of it. */
function notificationOf(event: Event | ThinEvent): object {
  const { data: _, ...notification } = event;
  return notification;
}
