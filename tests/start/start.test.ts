/**
 * Goal: `npm start` does what the README promises, and whatever stands in its way is told in a sentence.
 * Method: real processes with an environment of their own for what a process alone can show: the banner, signals, exit
 * codes. The same start in this process for the rest, which spares it seconds of loading.
 */
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { banner } from '../../server/cli/banner.ts';
import { type Environment, type Flags, readSettings } from '../../server/config.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { createLogger } from '../../server/logger.ts';
import { openDatabase } from '../../server/open-database.ts';
import { start } from '../../server/start.ts';
import { reasonOf } from '../../server/start-error.ts';
import { afterUse } from '../support/after-use.ts';
import { runCommand } from '../support/command.ts';
import { migrated, migratedFolder } from '../support/engines.ts';
import { spawnGateway } from '../support/gateway-process.ts';
import { httpClient } from '../support/http-client.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { scratchFolder } from '../support/scratch.ts';
import { openWs } from '../support/ws-client.ts';

function emptyFolder(): string {
  const folder = scratchFolder('start');
  afterUse(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A migrated data folder, so that a start takes a moment only. */
async function dataFolder(): Promise<string> {
  const folder = await migratedFolder();
  afterUse(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A start in this process, on any free port. @returns what it tells, and what it logged. */
async function startHere(env: Environment, flags: Flags = {}) {
  let log = '';
  const logger = createLogger('info', (line) => {
    log += line;
  });
  const started = await start(readSettings(flags, { PORT: '0', ...env }), logger);
  afterUse(() => started.close());
  return { ...started, log: () => log };
}

/** Why a start in this process is none, in the words that people read. */
const refusedHere = (env: Environment): Promise<string> =>
  startHere({ METERGRAPH_DATA_DIR: join(emptyFolder(), 'data'), ...env }).then(
    ({ url }) => `it listens at ${url}`,
    reasonOf,
  );

/** A start makes a whole database, and machines are busy. */
const PATIENCE = { timeout: 120_000 };

describe('on a fresh machine', PATIENCE, () => {
  it('makes a database, shows a demo, says what to try, and refuses a second start', async () => {
    const METERGRAPH_DATA_DIR = join(emptyFolder(), 'data');
    const gateway = spawnGateway({ METERGRAPH_DATA_DIR });
    const { url, key } = await gateway.listening;
    expect(gateway.stdout()).toMatch(/Live page .*\n {2}GraphiQL .*\/graphql\n {2}Metrics .*\/metrics\n/);
    expect(gateway.stdout()).toMatch(/Demo key +mg_test_\w+\n +for this run and the demo tenant only/);

    const [, curlUrl, curlKey, body] =
      /curl (\S+) \\\n +-H 'Authorization: Bearer (\S+)' \\\n +-H 'Content-Type: application\/json' \\\n +-d '(.*)'\n/.exec(
        gateway.stdout(),
      ) ?? [];
    expect([curlUrl, curlKey]).toEqual([`${url}/graphql`, key]);
    const { query } = JSON.parse(body ?? '');
    const first = httpClient(`${url}/graphql`, key ?? '');
    expect(await first.data(query)).toMatchObject({ consume: { allowed: true } });
    const { customers, alerts } = await first.data<{ customers: Nodes; alerts: Nodes }>(
      '{ customers(first: 10) { nodes { name } } alerts(first: 10) { nodes { id } } }',
    );
    expect(customers.nodes).toHaveLength(6);
    expect(alerts.nodes).toHaveLength(10);

    expect(await refusedHere({ METERGRAPH_DATA_DIR })).toContain(`is in use by process ${gateway.pid}, at ${url}.`);

    const socket = await openWs(`${url}/graphql`);
    await socket.init(key ?? '');
    socket.subscribe('1', 'subscription { liveUsage { at } }');
    await first.data('{ viewer { tenant { name } } }'); // what was sent before is there by now
    const stoppedAt = performance.now();
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
    expect((await socket.waitForClose()).code).toBe(1001);

    const next = await startHere({ METERGRAPH_DATA_DIR });
    expect(next.key).toMatchObject({ kind: 'demo', text: expect.not.stringMatching(key ?? '') });
    const told = (credential: string) => httpClient(`${next.url}/graphql`, credential);
    expect((await told(key ?? '').post('{ viewer { tenant { name } } }')).status).toBe(401);
    const { viewer } = await told(next.key?.text ?? '').data<{ viewer: unknown }>(
      '{ viewer { tenant { name mode } apiKey { scopes } } }',
    );
    expect(viewer).toEqual({ tenant: { name: 'Demo', mode: 'TEST' }, apiKey: { scopes: ['INGEST', 'READ'] } });
    expect(next.log()).toContain('listening');
    expect(next.log() + gateway.stderr()).not.toContain(key?.split('_')[3]);
  });

  it('without the demo prints an admin key, once, and a call that registers first', async () => {
    const env = { METERGRAPH_DATA_DIR: await dataFolder() };
    const gateway = spawnGateway(env, ['--no-demo']);
    const { url, key } = await gateway.listening;
    expect(gateway.stdout()).toMatch(/First key +mg_live_\w+\n +an admin key, shown this once/);
    const body = / -d '(.*)'\n/.exec(gateway.stdout())?.[1] ?? '';
    const client = httpClient(`${url}/graphql`, key ?? '');
    expect(await client.data(JSON.parse(body).query)).toMatchObject({ consume: { allowed: true } });
    gateway.kill('SIGINT');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });

    const lost = await runCommand(env, 'keys', 'create', '--scopes', 'read, ingest', '--name', 'second');
    expect(lost).toEqual({ code: 0, stdout: expect.stringMatching(/^mg_live_\w+\n$/), stderr: '' });

    const next = await startHere(env, { demo: false });
    expect(next.key).toBeNull();
    const { viewer } = await httpClient(`${next.url}/graphql`, lost.stdout.trim()).data<{ viewer: unknown }>(
      '{ viewer { apiKey { name scopes } } }',
    );
    expect(viewer).toEqual({ apiKey: { name: 'second', scopes: ['INGEST', 'READ'] } });
    expect(banner(next, (text) => text)).toContain('-H "Authorization: Bearer $METERGRAPH_KEY"');
  });
});

type Nodes = { readonly nodes: readonly unknown[] };

describe('what stands in the way', PATIENCE, () => {
  const urlAt = (port: number) => `postgres://meter:hunter2@127.0.0.1:${port}/usage`;

  it('is a Postgres that is not there: named without its password, with 1, and nothing else is used', async () => {
    const METERGRAPH_DATA_DIR = join(emptyFolder(), 'data');
    const gateway = spawnGateway({ DATABASE_URL: urlAt(1), METERGRAPH_DATA_DIR });
    expect(await gateway.exited).toEqual({ code: 1, signal: null });
    expect(gateway.stdout()).toBe('');
    expect(gateway.stderr()).toContain('Postgres at 127.0.0.1:1, database "usage", can\'t be reached: ');
    expect(gateway.stderr()).not.toContain('    at '); // a sentence, not a stack
    expect(gateway.stderr()).not.toContain('hunter2');
    expect(existsSync(METERGRAPH_DATA_DIR)).toBe(false);
  });

  it('is a Postgres that does not answer', async () => {
    const taken = new Set<Socket>();
    const silent = createServer((socket) => taken.add(socket)).listen(0, '127.0.0.1');
    afterUse(() => {
      for (const socket of taken) socket.destroy();
      silent.close();
    });
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo; // it listens on a port, not a pipe
    const settings = readSettings({}, { DATABASE_URL: urlAt(port) });
    const said = await openDatabase(settings, 200).then(() => 'it is open', reasonOf); // 8 s for people
    expect(said).toContain(`Postgres at 127.0.0.1:${port}, database "usage", can't be reached: no answer within 0.2 s`);
    expect(said).not.toContain('hunter2');
  });

  it('is a config with a mistake, by its path', async () => {
    const METERGRAPH_CONFIG = join(emptyFolder(), 'meter.config.ts');
    writeFileSync(METERGRAPH_CONFIG, 'export default { features: { a: { limt: 5 } }, defaultPlan: "free" };');
    const said = await refusedHere({ METERGRAPH_CONFIG });
    expect(said).toContain(`The config ${METERGRAPH_CONFIG} has 2 problems:`);
    expect(said).toContain('features.a.limt is no field of a feature; did you mean "limit"?');
  });

  it('is a second biller: nobody is to be billed twice', async () => {
    const METERGRAPH_CONFIG = join(emptyFolder(), 'meter.config.ts');
    writeFileSync(METERGRAPH_CONFIG, 'export default { features: { a: {} }, billing: { biller: "manual" } };');
    const said = await refusedHere({ METERGRAPH_CONFIG, STRIPE_SECRET_KEY: 'sk_test_hunter2' });
    expect(said).toContain('who subscribes at Stripe would be billed by both. Leave out one of them.');
    expect(said).not.toContain('hunter2');
  });
});

describePostgres('on Postgres', () => {
  it('refuses a key of Stripe of another mode than its tenant, and leaves nothing running', async () => {
    const { url: DATABASE_URL, drop } = await createDatabase({ template: migrated });
    afterUse(drop);
    const METERGRAPH_BOOTSTRAP_KEY = `mg_test_Start0te_${'a1'.repeat(16)}`;
    const said = await refusedHere({ DATABASE_URL, METERGRAPH_BOOTSTRAP_KEY, STRIPE_SECRET_KEY: 'sk_live_hunter2' });
    expect(said).toContain('STRIPE_SECRET_KEY is a live key, and "Default" is a test tenant, which must not move');
    expect(said).not.toContain('hunter2');
  });

  it('starts without a demo, with the bootstrap key, and stops', async () => {
    const { url: DATABASE_URL, drop } = await createDatabase({ template: migrated });
    afterUse(drop);
    const METERGRAPH_BOOTSTRAP_KEY = `mg_test_Start0te_${'a1'.repeat(16)}`;
    const gateway = spawnGateway({ DATABASE_URL, METERGRAPH_BOOTSTRAP_KEY });
    const { url, key } = await gateway.listening;
    expect(key).toBeNull();
    const { data } = httpClient(`${url}/graphql`, METERGRAPH_BOOTSTRAP_KEY);
    expect(await data('{ viewer { tenant { name mode } } customers(first: 1) { nodes { id } } }')).toEqual({
      viewer: { tenant: { name: 'Default', mode: 'TEST' } },
      customers: { nodes: [] },
    });
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).not.toContain('a1a1');
  });

  it('refuses a database that a newer version has used', async () => {
    const { url: DATABASE_URL, drop } = await createDatabase({ template: migrated });
    afterUse(drop);
    const database = openPostgres({ url: DATABASE_URL, poolSize: 1, statementTimeoutMs: 5_000 });
    const text = "INSERT INTO metergraph_migrations (hash, position) VALUES ('of the future', 999)";
    await database.query({ text, params: [] });
    await database.close();
    expect(await refusedHere({ DATABASE_URL })).toContain('a newer version has run on it');
  });
});
