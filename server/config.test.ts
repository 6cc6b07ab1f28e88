/** Goal: each setting comes from the right place, and a wrong one is refused by name. Method: tables of both. */
import { expect, it } from 'vitest';
import { type Environment, type Flags, readSettings, SettingsError, strayVariables } from './config.ts';

const KEY = `mg_live_${'a'.repeat(8)}_${'b'.repeat(32)}`;

it('has a default for everything', () => {
  expect(readSettings({}, {})).toEqual({
    host: '127.0.0.1',
    port: null,
    databaseUrl: null,
    dataDir: '.metergraph',
    configFile: null,
    demo: true,
    bootstrapKey: null,
    tokenSecret: null,
    eventsKeptDays: null,
    webhooksAllowPrivate: false,
    mail: null,
    alertEmailTo: null,
    corsOrigins: [],
    logLevel: 'info',
    stripeSecretKey: null,
    stripeWebhookSecrets: [],
    stripeApiBase: null,
  });
});

// biome-ignore format: a table
it.each<[Flags, Environment, object]>([
  // flags                  environment                                       settings
  [{},                      { PORT: '4100' },                                 { port: 4_100 }],
  [{ port: '4200' },        { PORT: '4100' },                                 { port: 4_200 }],
  [{ port: '4200' },        { PORT: 'unread' },                               { port: 4_200 }],
  [{},                      { PORT: '' },                                     { port: null }],
  [{},                      { PORT: '0' },                                    { port: 0 }],
  [{},                      { HOST: '0.0.0.0' },                              { host: '0.0.0.0' }],
  [{ host: '::1' },         { HOST: '0.0.0.0' },                              { host: '::1' }],
  [{},                      { METERGRAPH_DEMO: '0' },                         { demo: false }],
  [{},                      { METERGRAPH_DEMO: 'TRUE' },                      { demo: true }],
  [{ demo: false },         { METERGRAPH_DEMO: '1' },                         { demo: false }],
  [{ dataDir: 'here' },     { METERGRAPH_DATA_DIR: 'there' },                 { dataDir: 'here' }],
  [{ config: 'a.ts' },      { METERGRAPH_CONFIG: 'b.ts' },                    { configFile: 'a.ts' }],
  [{ logLevel: 'debug' },   { LOG_LEVEL: 'warn' },                            { logLevel: 'debug' }],
  [{},                      { METERGRAPH_BOOTSTRAP_KEY: KEY },                { bootstrapKey: KEY }],
  [{},                      { DATABASE_URL: 'postgresql://u:p@db/meter' },    { databaseUrl: 'postgresql://u:p@db/meter' }],
  [{},                      { METERGRAPH_EVENTS_KEPT_DAYS: '70' },            { eventsKeptDays: 70 }],
  [{},                      { METERGRAPH_WEBHOOKS_ALLOW_PRIVATE: '1' },       { webhooksAllowPrivate: true }],
  [{},                      { SMTP_URL: 'smtp://mail.example:587', ALERT_EMAIL_FROM: 'a@b.example', ALERT_EMAIL_TO: 'c@d.example' },
                            { mail: { url: 'smtp://mail.example:587', from: 'a@b.example' }, alertEmailTo: 'c@d.example' }],
  [{},                      { METERGRAPH_CORS_ORIGINS: 'https://a.example, http://b.example:8080' },
                            { corsOrigins: ['https://a.example', 'http://b.example:8080'] }],
  [{},                      { STRIPE_SECRET_KEY: 'sk_test_51Abc' },           { stripeSecretKey: 'sk_test_51Abc' }],
  [{},                      { STRIPE_SECRET_KEY: 'rk_live_51Abc' },           { stripeSecretKey: 'rk_live_51Abc' }],
  [{},                      { STRIPE_WEBHOOK_SECRET: 'whsec_a' },             { stripeWebhookSecrets: ['whsec_a'] }],
  [{},                      { STRIPE_WEBHOOK_SECRET: 'whsec_a, whsec_b' },    { stripeWebhookSecrets: ['whsec_a', 'whsec_b'] }],
  [{},                      { STRIPE_API_BASE: 'http://127.0.0.1:12111' },    { stripeApiBase: 'http://127.0.0.1:12111' }],
])('flags %j and environment %j give %j', (flags, env, settings) => {
  expect(readSettings(flags, env)).toMatchObject(settings);
});

// biome-ignore format: a table
it.each<[Flags, Environment, RegExp]>([
  [{},                      { PORT: 'http' },                                 /^PORT is "http"; write a port number from 0 to 65535\.$/],
  [{},                      { PORT: '65536' },                                /^PORT is "65536"; write a port number/],
  [{ port: '-1' },          {},                                               /^--port is "-1"; write a port number/],
  [{},                      { METERGRAPH_DEMO: 'maybe' },                     /^METERGRAPH_DEMO is "maybe"; write 1 or 0\.$/],
  [{ logLevel: 'loud' },    {},                                               /^--log-level is "loud"; write one of fatal/],
  [{},                      { DATABASE_URL: 'mysql://u:hunter2@db/x' },       /^DATABASE_URL is not right; write a URL like postgres/],
  [{},                      { METERGRAPH_BOOTSTRAP_KEY: 'sk_live_1' },        /^METERGRAPH_BOOTSTRAP_KEY is not right; write mg_live_ or/],
  [{},                      { METERGRAPH_TOKEN_SECRET: 'short' },             /^METERGRAPH_TOKEN_SECRET is not right; write at least 32/],
  [{},                      { METERGRAPH_EVENTS_KEPT_DAYS: '69' },            /^METERGRAPH_EVENTS_KEPT_DAYS is "69"; write a whole number of days from 70 /],
  [{},                      { METERGRAPH_EVENTS_KEPT_DAYS: 'P1Y' },           /^METERGRAPH_EVENTS_KEPT_DAYS is "P1Y"; write a whole number/],
  [{},                      { SMTP_URL: 'http://mail.example' },              /^SMTP_URL is not right; write a URL like smtp:/],
  [{},                      { SMTP_URL: 'smtp://mail.example' },              /^SMTP_URL is set and ALERT_EMAIL_FROM is not; set the address/],
  [{},                      { ALERT_EMAIL_TO: 'c@d.example' },                /^ALERT_EMAIL_TO is set and SMTP_URL is not; set the mail server/],
  [{},                      { METERGRAPH_CORS_ORIGINS: '*' },                 /^METERGRAPH_CORS_ORIGINS is "\*"; write origins like/],
  [{},                      { METERGRAPH_CORS_ORIGINS: 'https://a.example/' }, /^METERGRAPH_CORS_ORIGINS is .*; write origins like/],
  [{},                      { STRIPE_SECRET_KEY: 'pk_test_51Abc' },           /^STRIPE_SECRET_KEY is not right; write a secret key of Stripe/],
  [{},                      { STRIPE_SECRET_KEY: 'sk_test_' },                /^STRIPE_SECRET_KEY is not right; write a secret key of Stripe/],
  [{},                      { STRIPE_WEBHOOK_SECRET: 'sk_test_51Abc' },       /^STRIPE_WEBHOOK_SECRET is not right; write the signing secret/],
  [{},                      { STRIPE_WEBHOOK_SECRET: 'whsec_a,'.repeat(9) }, /^STRIPE_WEBHOOK_SECRET is not right; write the signing/],
  [{},                      { STRIPE_API_BASE: 'https://proxy.example/stripe' }, /^STRIPE_API_BASE is not right; write the address of a server/],
  [{},                      { STRIPE_API_BASE: 'ftp://proxy.example' },       /^STRIPE_API_BASE is not right; write the address of a server/],
])('flags %j and environment %j are refused', (flags, env, says) => {
  expect(() => readSettings(flags, env)).toThrow(says);
});

it('says everything that is wrong at once, and never a secret', () => {
  const env = {
    PORT: 'x',
    DATABASE_URL: 'mysql://u:hunter2@db/x',
    METERGRAPH_TOKEN_SECRET: 'hunter2',
    STRIPE_SECRET_KEY: 'sk-test-hunter2',
    STRIPE_WEBHOOK_SECRET: 'hunter2',
    STRIPE_API_BASE: 'https://u:hunter2@proxy.example',
  };
  let said = '';
  try {
    readSettings({}, env);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    said = String(error);
  }
  expect(said.split('\n')).toHaveLength(6);
  expect(said).not.toContain('hunter2');
});

it('notices a variable that is misspelt', () => {
  const env = {
    METERGRAPH_DATADIR: 'x',
    METERGRAPH_DEMO: '1',
    PORT: '1',
    METERGRAPH_XYZZY: '',
    METERGRAPH_DATABASE_URL: '',
    METERGRAPH_KEY: 'an app has it',
  };
  expect(strayVariables(env)).toEqual([
    'METERGRAPH_DATADIR is no setting; did you mean METERGRAPH_DATA_DIR?',
    'METERGRAPH_XYZZY is no setting',
    'METERGRAPH_DATABASE_URL is no setting; did you mean DATABASE_URL?',
  ]);
});
