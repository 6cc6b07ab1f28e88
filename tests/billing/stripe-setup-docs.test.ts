/**
 * Goal: who follows docs/stripe-setup.md from its first line ends with the invoice that it promises. Method: the page's own
 * blocks, in order: its config is the gateway's, its commands are read by a shell and done one after the other, those of
 * Metergraph in this process, those of Stripe's command as the calls that it makes. Only `…` is filled in.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bootstrap } from '../../server/actions/bootstrap.ts';
import { createProgram } from '../../server/cli/program.ts';
import { readSettings } from '../../server/config.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { afterUse } from '../support/after-use.ts';
import { runCommand } from '../support/command.ts';
import { migrated } from '../support/engines.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { scratchFolder } from '../support/scratch.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';
import { objectOf } from '../support/worked-examples.ts';
import '../support/built.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/stripe-setup.md');
const BLOCKS = [...page.matchAll(/^```(\w*)\n([\s\S]*?)\n```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const blocksOf = (of: string): readonly string[] =>
  BLOCKS.filter(({ language }) => language === of).map(({ text }) => text);
function onlyBlock(of: string): string {
  const [block = '', ...others] = blocksOf(of);
  expect(others).toEqual([]);
  return block;
}

const WINDOW_MS = 15 * 60_000;
const [, CONFIG = ''] = /defineConfig\(\{\n([\s\S]*)\n\}\);/.exec(onlyBlock('ts')) ?? [];

it('has a config that is one', () => {
  const { definition, billing } = parseConfig(objectOf(CONFIG), 'the page');
  expect(definition.plans.map(({ key }) => key)).toEqual(['free', 'pro']);
  expect(billing.creditPacks).toHaveLength(1);
});

/** What a shell makes of a block: its commands, each as its words. Lines that only set the shell up are done. */
function commandsOf(block: string, folder: string, seconds: number): readonly (readonly string[])[] {
  const names = ['npm', 'node', 'curl', 'stripe'];
  const say = names.map((name) => `${name}() { printf '%s\\0' ${name} "$@"; printf '\\036'; }`);
  const script = [...say, `date() { echo ${seconds}; }`, '[ ! -f .env.stripe ] || . ./.env.stripe', block].join('\n');
  const said = execFileSync('/bin/sh', ['-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return said
    .split('\x1e')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1));
}

/** What the file of settings says, as a gateway is told. */
function settingsIn(folder: string): Readonly<Record<string, string>> {
  const script = '. ./.env.stripe && env';
  const text = execFileSync('/bin/sh', ['-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return Object.fromEntries(
    [...text.matchAll(/^((?:METERGRAPH|STRIPE)_\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** A newcomer, with all that is there after what was done so far. */
class Newcomer {
  readonly #folder = scratchFolder('newcomer');
  readonly #rig: StripeRig;
  readonly #databaseUrl: string;
  /** By the prefix: the ids that were answered, the newest last. */
  readonly #ids: Record<string, readonly string[]> = {};
  #gateway: TestGateway | null = null;
  /** What each command of ours said; what Stripe last answered. */
  readonly said: string[] = [];
  answer: { readonly data?: readonly { readonly total: number }[] } = {};

  constructor(rig: StripeRig, databaseUrl: string) {
    this.#rig = rig;
    this.#databaseUrl = databaseUrl;
    writeFileSync(join(this.#folder, 'billing.config.ts'), onlyBlock('ts'));
    afterUse(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  async follow(block: string): Promise<void> {
    const { apiKey } = this.#rig.stripe;
    const told = block.replaceAll('sk_test_…', apiKey).replaceAll('whsec_…', 'whsec_printed');
    const answers = [...block.matchAll(/# → (.*)/g)].map(([, text = '']) => JSON.parse(text));
    for (const words of commandsOf(told, this.#folder, Math.floor(this.#rig.clock.now() / 1_000))) {
      const [name, ...args] = words;
      if (name === 'npm') await this.#npm(args);
      if (name === 'node') await this.#node(args);
      if (name === 'curl') expect(await this.#curl(args)).toEqual(answers.shift());
      if (name === 'stripe') await this.#stripe(args);
    }
    expect(answers).toEqual([]);
  }

  async #npm([verb, script, ...args]: readonly string[]): Promise<void> {
    if (script !== 'metergraph') return expect(JSON.stringify([verb, script])).toMatch(/"install"|"run","build"/);
    const [dashes, ...words] = args;
    expect([verb, dashes]).toEqual(['run', '--']);
    if (words[0] === 'start') return this.#start(words.slice(1));
    const { code, stdout, stderr } = await runCommand(this.#env(), ...words.map((word) => this.#filledIn(word)));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    this.said.push(stdout.replaceAll(`${this.#folder}/`, ''));
    for (const [, key = '', id = ''] of stdout.matchAll(/^ {2}(metergraph_\w+)=(\S+)$/gm)) this.#ids[key] = [id];
    const [mark] = /mg_[0-9a-f]{12}/.exec(stdout) ?? [];
    if (mark) this.#ids.mg = [mark];
  }

  #env(): Readonly<Record<string, string>> {
    const { METERGRAPH_DATA_DIR, METERGRAPH_CONFIG = '', ...env } = settingsIn(this.#folder);
    expect(METERGRAPH_DATA_DIR).toMatch(/^\./); // ignored by git; here it is a Postgres, where commands run beside
    const { stripe } = this.#rig;
    const config = join(this.#folder, METERGRAPH_CONFIG);
    return { ...env, DATABASE_URL: this.#databaseUrl, METERGRAPH_CONFIG: config, STRIPE_API_BASE: stripe.url };
  }

  /** As `metergraph start` does, on the clock of the test. */
  async #start(flags: readonly string[]): Promise<void> {
    const known = createProgram().commands.find((command) => command.name() === 'start')?.options;
    for (const flag of flags.filter((word) => word.startsWith('--')))
      expect(known?.map(({ long }) => long)).toContain(flag);
    await this.#gateway?.close();
    const { bootstrapKey, stripeWebhookSecrets: webhookSecrets } = readSettings({}, this.#env());
    const database = openPostgres({ url: this.#databaseUrl, poolSize: 4, statementTimeoutMs: 10_000 });
    afterUse(() => database.close());
    const { sdk, clock, stripe } = this.#rig;
    await bootstrap({ database, clock }, { bootstrapKey, demo: false });
    const config = objectOf(CONFIG);
    const never = 3_600_000;
    this.#gateway = await startGateway({
      database,
      clock,
      config,
      billing: parseConfig(config, 'the page').billing,
      stripe: { stripe: sdk, webhookSecrets },
      closeIntervalMs: never,
      chargeIntervalMs: never,
      reportIntervalMs: never,
    });
    const [secret] = webhookSecrets;
    if (secret) stripe.webhooks.to(`${this.#gateway.url}/webhooks/stripe`, { secret });
  }

  /** Runs the page's script, and pays what it opens. */
  async #node([file]: readonly string[]): Promise<void> {
    expect(page).toContain(`\`${file}\``);
    const code = onlyBlock('js').replace('http://localhost:4000', this.#gateway?.url ?? '');
    const env = { PATH: process.env.PATH, ...this.#env() };
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    this.#rig.stripe.completeCheckout(printed.trim().split('/').at(-1) ?? '');
  }

  async #curl([url = '', ...args]: readonly string[]): Promise<unknown> {
    await this.#deliver();
    const after = (flag: string) => args.flatMap((word, i) => (args[i - 1] === flag ? [word] : []));
    const headers = after('-H').map((line) => line.split(': ') as [string, string]);
    const to = url.replace('http://localhost:4000', this.#gateway?.url ?? '');
    const response = await fetch(to, { method: 'POST', headers, body: after('-d')[0] ?? '' });
    return response.json();
  }

  /** What Stripe's command sends: `resource operation`, an id where it is of one, and `--parameter value` or `-d name=value`. */
  async #stripe(words: readonly string[]): Promise<void> {
    if (words[0] === 'listen')
      return expect(words.slice(1)).toEqual(['--forward-to', 'localhost:4000/webhooks/stripe']);
    const first = words.findIndex((word) => word.startsWith('-'));
    const path = words.slice(0, first);
    const at = path.findIndex((word) => ['create', 'list', 'attach', 'advance'].includes(word));
    const [operation = '', id] = [path[at], path[at + 1]];
    const params = new URLSearchParams();
    for (let i = first; i < words.length; i += 2) {
      const [flag = '', value = ''] = [words[i], this.#filledIn(words[i + 1] ?? '')];
      const [, name = '', said = ''] = flag === '-d' ? (/^([^=]+)=(.*)$/.exec(value) ?? []) : [];
      if (flag === '-d') params.append(name, said);
      else params.append(flag.slice(2).replaceAll('-', '_'), value);
    }
    if (operation === 'advance') await this.#tell();
    const resource = `/v1/${path.slice(0, at).join('/')}`;
    const of = id === undefined ? '' : `/${this.#filledIn(id)}`;
    const answer = await (operation === 'list'
      ? this.#call(`${resource}?${params}`)
      : this.#call(`${resource}${of}${operation === 'create' ? '' : `/${operation}`}`, params));
    this.#note(operation === 'list' ? answer.data : [answer]);
    if (operation === 'advance') for (const _ of ['advancing', 'ready']) await this.#call(`${resource}${of}`);
    this.answer = answer;
    await this.#deliver();
  }

  async #call(path: string, body?: URLSearchParams) {
    const { url, apiKey } = this.#rig.stripe;
    const headers = { authorization: `Bearer ${apiKey}` };
    const response = await fetch(`${url}${path}`, { headers, ...(body && { method: 'POST', body }) });
    const answer = await response.json();
    expect({ path, status: response.status, error: answer.error }).toEqual({ path, status: 200, error: undefined });
    return answer;
  }

  #note(objects: readonly { readonly id: string }[]): void {
    for (const [prefix = ''] of objects.map(({ id }) => id.split('_'))) {
      this.#ids[prefix] = objects.map(({ id }) => id).filter((id) => id.startsWith(`${prefix}_`));
    }
  }

  /** `price_…` is an id that was answered before: of several, each in its turn. */
  #filledIn(word: string): string {
    const [, key = '', , gap] = /(?:^|\[|=)((?:metergraph_)?[a-z]+)(\]=|_)(…)/.exec(word) ?? [];
    if (gap === undefined) return word;
    if (key === 'acct') return word.replace('…', '1');
    const [id = '', ...others] = this.#ids[key] ?? [];
    expect([word, id]).not.toContain('');
    if (others.length > 0) this.#ids[key] = others;
    return key.startsWith('metergraph_') ? word.replace('…', id) : word.replace(`${key}_…`, id);
  }

  /** A window passes, and what was used in it is told. */
  async #tell(): Promise<void> {
    this.#rig.clock.advance(WINDOW_MS);
    await this.#gateway?.gateway.usageReporter?.run();
    this.#rig.stripe.settle();
  }

  async #deliver(): Promise<void> {
    const attempts = await this.#rig.stripe.webhooks.deliver();
    expect(attempts.filter(({ status }) => status !== 200)).toEqual([]);
  }
}

describePostgres('docs/stripe-setup.md', () => {
  it('leads from a key to an invoice, command by command', { timeout: 60_000 }, async () => {
    const rig = await openStripe();
    const { url, drop } = await createDatabase({ template: migrated });
    afterUse(drop);
    const newcomer = new Newcomer(rig, url);
    const shell = blocksOf('sh');
    const last = shell.findIndex((block) => block.includes('stripe invoices list'));
    for (const block of shell.slice(0, last + 1)) await newcomer.follow(block);
    const [dry, done, status] = newcomer.said.map(anyTenant);
    expect(done).toBe(`${anyTenant(onlyBlock(''))}\n`);
    expect(dry).toBe(done?.replace('Done: 5 new.', 'Nothing was done: 5 new. Run it without --dry-run to do that.'));
    expect(status).toContain('Nothing differs: 5 as they should be.');
    expect(newcomer.answer.data?.[0]).toMatchObject({ total: 3_500 });
  });
});

const anyTenant = (text: string): string => text.replace(/mg_[0-9a-f]{12}/g, 'mg_…');
