/**
 * config — the process's settings: flags win over the environment, the environment over what is built in.
 *
 * The only reader of `process.env`. What features and plans there are is another matter: see `load-config.ts`.
 */
import { z } from 'zod';
import { parseApiKey } from './domain/api-key.ts';
import { nearest } from './domain/nearest.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export const DEFAULT_PORT = 4_000;

export type Settings = {
  /** Where to listen: loopback unless it is said otherwise. */
  readonly host: string;
  /** Exactly this one (0: any that is free); null for 4000, or the next free one. */
  readonly port: number | null;
  /** Postgres; null for the embedded database in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  /** Null for `metergraph.config.ts`, if there is one. */
  readonly configFile: string | null;
  /** Demo data and traffic; only on an empty embedded database, or one that was made by the demo. */
  readonly demo: boolean;
  readonly bootstrapKey: string | null;
  /** Signs customer tokens; null for one that is made and kept in the database. */
  readonly tokenSecret: string | null;
  /** Events that were recorded longer ago may be dropped, whole months of them; null to keep all for ever. */
  readonly eventsKeptDays: number | null;
  /** Whether webhooks may go to `http:`, and to addresses of one's own network. */
  readonly webhooksAllowPrivate: boolean;
  /** Alerts go out as mails by this server, from this address; null for none. */
  readonly mail: { readonly url: string; readonly from: string } | null;
  /** Who gets a mail for every alert; null for nobody but endpoints of their own. */
  readonly alertEmailTo: string | null;
  /** Origins of other sites whose pages may call the API. */
  readonly corsOrigins: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Bills by Stripe; null leaves billing off, and everything else works. */
  readonly stripeSecretKey: string | null;
  /** What webhooks of Stripe's are signed with: one an endpoint, or two while it is rotated. */
  readonly stripeWebhookSecrets: readonly string[];
  /** Where Stripe is, for tests and proxies; null for Stripe's own. */
  readonly stripeApiBase: string | null;
};

/** What the command line says; absent where it is silent. */
export type Flags = {
  readonly host?: string;
  readonly port?: string;
  readonly dataDir?: string;
  readonly config?: string;
  readonly demo?: boolean;
  readonly logLevel?: string;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that can't be used; the message lists every one. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** A setting's names, and how its text is read. */
type Setting<T> = { readonly env: string; readonly flag?: string; readonly schema: z.ZodType<T, string> };

const text = z.string();

const port = text
  .regex(/^\d{1,5}$/, portRule())
  .transform(Number)
  .refine((n) => n <= 65_535, portRule());
function portRule() {
  return 'write a port number from 0 to 65535';
}

const YES = ['1', 'true', 'yes', 'on'];
const NO = ['0', 'false', 'no', 'off'];
const yesOrNo = text
  .toLowerCase()
  .refine((word) => YES.includes(word) || NO.includes(word), 'write 1 or 0')
  .transform((word) => YES.includes(word));

const databaseUrl = text.refine(
  (url) => URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol),
  'write a URL like postgres://user:password@host:5432/database',
);

const apiKey = text.refine(
  (key) => parseApiKey(key) !== null,
  'write mg_live_ or mg_test_, then 8 letters or digits, an underscore, and 32 letters or digits',
);

const origins = text
  .transform((list) => list.split(/[\s,]+/).filter((origin) => origin !== ''))
  .refine(
    (list) => list.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
    'write origins like https://app.example.com, with commas between; each site is named, there is no *',
  );

/** Use may be told 35 days late, and the call that told it be sent again 35 days later: both must find what was recorded. */
const EVENTS_KEPT_DAYS_MIN = 70;
const EVENTS_KEPT_DAYS_MAX = 36_500;
const eventsKept = text
  .regex(/^\d{1,6}$/, eventsKeptRule())
  .transform(Number)
  .refine((days) => days >= EVENTS_KEPT_DAYS_MIN && days <= EVENTS_KEPT_DAYS_MAX, eventsKeptRule());
function eventsKeptRule() {
  return `write a whole number of days from ${EVENTS_KEPT_DAYS_MIN} (use is recorded up to 35 days late, and keys are kept for 35 more) to ${EVENTS_KEPT_DAYS_MAX}, or leave it out to keep events for ever`;
}

const stripeKey = text.refine(
  (key) => /^(sk|rk)_(test|live)_\w{4,}$/.test(key),
  'write a secret key of Stripe, sk_test_… or sk_live_…, or a restricted one, rk_test_… or rk_live_…',
);

/** A few endpoints (snapshots, thin notices, connected accounts), and two secrets of each while it is rotated. */
const WEBHOOK_SECRETS_MAX = 8;
const webhookSecrets = text
  .transform((list) => list.split(/[\s,]+/).filter((secret) => secret !== ''))
  .refine(
    (list) => list.length <= WEBHOOK_SECRETS_MAX && list.every((secret) => /^whsec_\S+$/.test(secret)),
    'write the signing secret of the webhook endpoint, whsec_…; of several endpoints, or while you rotate one, all of them with commas between, 8 at most',
  );

const apiBase = text.refine(
  isOrigin,
  'write the address of a server alone, like http://127.0.0.1:12111: no path, and no user',
);
function isOrigin(url: string): boolean {
  return (
    URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && `${new URL(url).origin}/` === new URL(url).href
  );
}
const smtpUrl = text.refine(
  (url) => URL.canParse(url) && /^smtps?:$/.test(new URL(url).protocol),
  'write a URL like smtp://user:password@host:587, or smtps://…:465',
);

const mailAddress = text.regex(/^[^\s@,;<>]+@[^\s@,;<>]+$/, 'write one address like alerts@example.com');

const SETTINGS = {
  host: { env: 'HOST', flag: '--host', schema: text },
  port: { env: 'PORT', flag: '--port', schema: port },
  databaseUrl: { env: 'DATABASE_URL', schema: databaseUrl },
  dataDir: { env: 'METERGRAPH_DATA_DIR', flag: '--data-dir', schema: text },
  configFile: { env: 'METERGRAPH_CONFIG', flag: '--config', schema: text },
  demo: { env: 'METERGRAPH_DEMO', flag: '--no-demo', schema: yesOrNo },
  bootstrapKey: { env: 'METERGRAPH_BOOTSTRAP_KEY', schema: apiKey },
  tokenSecret: {
    env: 'METERGRAPH_TOKEN_SECRET',
    schema: text.min(32, 'write at least 32 characters, random ones: openssl rand -base64 32'),
  },
  eventsKeptDays: { env: 'METERGRAPH_EVENTS_KEPT_DAYS', schema: eventsKept },
  webhooksAllowPrivate: { env: 'METERGRAPH_WEBHOOKS_ALLOW_PRIVATE', schema: yesOrNo },
  mail: { env: 'SMTP_URL', schema: smtpUrl },
  alertEmailFrom: { env: 'ALERT_EMAIL_FROM', schema: mailAddress },
  alertEmailTo: { env: 'ALERT_EMAIL_TO', schema: mailAddress },
  corsOrigins: { env: 'METERGRAPH_CORS_ORIGINS', schema: origins },
  logLevel: {
    env: 'LOG_LEVEL',
    flag: '--log-level',
    schema: text.pipe(z.enum(LOG_LEVELS, `write one of ${LOG_LEVELS.join(', ')}`)),
  },
  stripeSecretKey: { env: 'STRIPE_SECRET_KEY', schema: stripeKey },
  stripeWebhookSecrets: { env: 'STRIPE_WEBHOOK_SECRET', schema: webhookSecrets },
  stripeApiBase: { env: 'STRIPE_API_BASE', schema: apiBase },
} satisfies Readonly<Record<keyof Settings | 'alertEmailFrom', Setting<unknown>>>;

/** What may be said aloud of a wrong value; of the others only that they are wrong. */
const SECRET: ReadonlySet<string> = new Set([
  'DATABASE_URL',
  'METERGRAPH_BOOTSTRAP_KEY',
  'METERGRAPH_TOKEN_SECRET',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'STRIPE_API_BASE', // a proxy's address may hold a password
  'SMTP_URL',
]);

/** @throws {SettingsError} with one sentence for each value that is wrong. */
export function readSettings(flags: Flags = {}, env: Environment = process.env): Settings {
  const problems: string[] = [];
  function read<T>({ env: name, flag, schema }: Setting<T>, flagValue: string | undefined): T | undefined {
    const value = flagValue ?? (env[name] || undefined); // an empty variable is one that is not set
    if (value === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const named = flagValue === undefined ? name : flag;
    const found = SECRET.has(name) ? 'is not right' : `is ${JSON.stringify(value)}`;
    problems.push(`${named} ${found}; ${parsed.error.issues[0]?.message}.`);
    return undefined;
  }
  const smtp = read(SETTINGS.mail, undefined) ?? null;
  const from = read(SETTINGS.alertEmailFrom, undefined) ?? null;
  const alertEmailTo = read(SETTINGS.alertEmailTo, undefined) ?? null;
  problems.push(...mailProblems(env, { smtp, from }));
  const settings: Settings = {
    host: read(SETTINGS.host, flags.host) ?? '127.0.0.1',
    port: read(SETTINGS.port, flags.port) ?? null,
    databaseUrl: read(SETTINGS.databaseUrl, undefined) ?? null,
    dataDir: read(SETTINGS.dataDir, flags.dataDir) ?? '.metergraph',
    configFile: read(SETTINGS.configFile, flags.config) ?? null,
    demo: flags.demo ?? read(SETTINGS.demo, undefined) ?? true,
    bootstrapKey: read(SETTINGS.bootstrapKey, undefined) ?? null,
    tokenSecret: read(SETTINGS.tokenSecret, undefined) ?? null,
    eventsKeptDays: read(SETTINGS.eventsKeptDays, undefined) ?? null,
    webhooksAllowPrivate: read(SETTINGS.webhooksAllowPrivate, undefined) ?? false,
    mail: smtp !== null && from !== null ? { url: smtp, from } : null,
    alertEmailTo,
    corsOrigins: read(SETTINGS.corsOrigins, undefined) ?? [],
    logLevel: read(SETTINGS.logLevel, flags.logLevel) ?? 'info',
    stripeSecretKey: read(SETTINGS.stripeSecretKey, undefined) ?? null,
    stripeWebhookSecrets: read(SETTINGS.stripeWebhookSecrets, undefined) ?? [],
    stripeApiBase: read(SETTINGS.stripeApiBase, undefined) ?? null,
  };
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/** Mails need a server and a sender: of two that belong together, both are there or none. */
function mailProblems(env: Environment, { smtp, from }: Readonly<Record<'smtp' | 'from', string | null>>): string[] {
  const isMissing = (value: string | null, name: string): boolean => value === null && !env[name]; // a wrong one is told
  if (isMissing(smtp, 'SMTP_URL')) {
    const lonely = ['ALERT_EMAIL_FROM', 'ALERT_EMAIL_TO'].filter((name) => env[name]);
    return lonely.map((name) => `${name} is set and SMTP_URL is not; set the mail server, or leave both out.`);
  }
  return isMissing(from, 'ALERT_EMAIL_FROM')
    ? ['SMTP_URL is set and ALERT_EMAIL_FROM is not; set the address that mails come from.']
    : [];
}

const PREFIX = 'METERGRAPH_';
/** Where apps and examples have a key and a URL: they may share an environment with the gateway. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['METERGRAPH_KEY', 'METERGRAPH_URL']);

/** A sentence for each variable that looks like one of ours and is none: a slip that would go unnoticed. */
export function strayVariables(env: Environment = process.env): readonly string[] {
  const known = new Map(Object.values(SETTINGS).map(({ env: name }) => [name.replace(PREFIX, ''), name]));
  return Object.keys(env).flatMap((name) => {
    const rest = name.replace(PREFIX, '');
    if (!name.startsWith(PREFIX) || known.get(rest) === name || OF_CLIENTS.has(name)) return [];
    const meant = known.get(nearest(rest, known.keys()) ?? '');
    return [`${name} is no setting${meant === undefined ? '' : `; did you mean ${meant}?`}`];
  });
}

/**
 * Unless told otherwise, libraries run as in production: graphql-js compares types by identity then, instead of looking
 * for a second copy of itself at every field. They ask as they are loaded, so this comes before them.
 */
export function runAsInProduction(): void {
  process.env.NODE_ENV ??= 'production';
}
