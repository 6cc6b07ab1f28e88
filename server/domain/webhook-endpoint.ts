/** webhook-endpoint — where a tenant wants to be told of things, and what such a place may be. Pure. */
import type { NoticeType } from './notice.ts';
import { rangeOf } from './public-address.ts';

export const ENDPOINT_KINDS = ['webhook', 'email'] as const;
/** `webhook` is posted to; `email` is sent a mail. */
export type EndpointKind = (typeof ENDPOINT_KINDS)[number];

export type WebhookEndpoint = {
  readonly id: string;
  readonly tenantId: string;
  readonly kind: EndpointKind;
  /** `https://…`, or `mailto:…` */
  readonly url: string;
  readonly eventTypes: readonly NoticeType[];
  /** Follows the settings of the gateway, and is nobody's to change. */
  readonly managed: boolean;
  readonly createdAtMs: number;
  /** Null while it is told. */
  readonly disabledAtMs: number | null;
  readonly disabledReason: string | null;
  /** Since when every try has failed; null where the last did not. */
  readonly failingSinceMs: number | null;
};

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
/** `pending`: to be tried, for the first time or again; `failed`: it is not tried again by itself. */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** What is known of one notice on its way to one endpoint. */
export type Delivery = {
  readonly id: string;
  readonly tenantId: string;
  readonly endpointId: string;
  readonly eventId: string;
  /** A `NoticeType`, or `TEST_NOTICE`. */
  readonly eventType: string;
  readonly referenceId: string | null;
  readonly data: unknown;
  readonly occurredAtMs: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAtMs: number | null;
  /** Of the last try: the status of the answer, why it failed, how long it took. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly lastDurationMs: number | null;
  readonly deliveredAtMs: number | null;
  readonly createdAtMs: number;
};

const URL_LENGTH_MAX = 2_048;
/** Nothing that needs to be written otherwise in a URL. */
const MAIL = /^[^\s@,;<>?&%]{1,64}@[^\s@,;<>?&%]{1,189}$/;

/**
 * What is wrong with a place to post to, to be read after its name; null when nothing is. What its name resolves to is
 * looked at whenever something is sent.
 *
 * @param allowPrivate Also `http:`, and addresses of one's own network.
 */
export function problemOfUrl(text: string, allowPrivate: boolean): string | null {
  if (text.length > URL_LENGTH_MAX) return `is ${text.length} characters long; at most ${URL_LENGTH_MAX} fit`;
  if (!URL.canParse(text)) return 'is no URL; write one like "https://example.com/webhooks"';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol === 'mailto:') return problemOfMail(text);
  if (username !== '' || password !== '') return 'has a user name or password in it; the signature says who sends';
  if (protocol !== 'https:' && !(allowPrivate && protocol === 'http:'))
    return `begins with "${protocol}"; only "https:" is sent to`;
  if (allowPrivate) return null;
  const range = addressRangeOf(hostname);
  return range === null ? null : `names an address that is not public (${range}); name a host of the internet`;
}

/** Of a host that is written as an address; null for a name, or a public address. */
export function addressRangeOf(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return 'loopback';
  const range = rangeOf(bare);
  return range === 'invalid' ? null : range;
}

const problemOfMail = (text: string): string | null =>
  MAIL.test(mailAddressOf(text)) ? null : 'is no address for mail; write one like "mailto:ops@example.com"';

export const mailAddressOf = (url: string): string => url.replace(/^mailto:/i, '');

export const kindOf = (url: string): EndpointKind => (/^mailto:/i.test(url) ? 'email' : 'webhook');

/** What the settings of the gateway allow. */
export type WebhookPolicy = {
  /** Also `http:`, and addresses of one's own network. */
  readonly allowPrivate: boolean;
  /** Whether there is a mail server. */
  readonly hasMail: boolean;
};
