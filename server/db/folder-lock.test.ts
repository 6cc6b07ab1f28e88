/** Goal: never two processes in one data folder, never a dead one in the way. Method: real processes, really killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireFolderLock, DataFolderInUseError, folderHolder } from './folder-lock.ts';

const PROCESS = fileURLToPath(new URL('./folder-lock.process.ts', import.meta.url));
const children: ChildProcess[] = [];
let base: string;
let dataDir: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'mg-lock-'));
  dataDir = join(base, 'data');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(base, { recursive: true, force: true });
});

type Said = { acquired: true; pid: number } | { acquired: false; code: string; message: string };

async function start(folder = dataDir): Promise<ChildProcess> {
  const child = fork(PROCESS, [folder], { execArgv: ['--import', 'tsx'] });
  children.push(child);
  await once(child, 'message'); // it is loaded and waits for a word
  return child;
}

async function tell(child: ChildProcess, order: string): Promise<Said> {
  const said = once(child, 'message');
  child.send(order);
  const [message] = await said;
  return message;
}

/** What a holder would have left in the folder. */
function putHolder(
  number: string,
  record: { pid: number; startedAt: string | null; socket: string | null; url: null },
) {
  const place = join(dataDir, 'lock', number);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'holder.json'), JSON.stringify(record));
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('a live holder', () => {
  it('is named, with its URL once it listens', async () => {
    const holder = await start();
    expect(await tell(holder, 'acquire')).toEqual({ acquired: true, pid: holder.pid });
    const refused = await acquireFolderLock(dataDir).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DataFolderInUseError);
    expect(refused).toMatchObject({ code: 'DATA_FOLDER_IN_USE', holder: { pid: holder.pid, url: null } });
    await tell(holder, 'publish http://127.0.0.1:4000');
    await expect(acquireFolderLock(dataDir)).rejects.toThrow(
      `The data folder ${dataDir} is in use by process ${holder.pid}, at http://127.0.0.1:4000.`,
    );
    expect(await folderHolder(dataDir)).toEqual({ pid: holder.pid, url: 'http://127.0.0.1:4000' });
  });

  it('stays the holder while it is too busy to answer, and while it is stopped', async () => {
    const holder = await start();
    await tell(holder, 'acquire');
    await tell(holder, 'block');
    await expect(acquireFolderLock(dataDir)).rejects.toThrow(`process ${holder.pid}`);
    holder.kill('SIGSTOP');
    await expect(acquireFolderLock(dataDir)).rejects.toThrow(`process ${holder.pid}`);
  });

  it('may be this very process, and the folder may be reached by another name', async () => {
    const lock = await acquireFolderLock(dataDir);
    symlinkSync(dataDir, join(base, 'link'));
    await expect(acquireFolderLock(join(base, 'link'))).rejects.toThrow(`process ${process.pid}`);
    await lock.release();
  });
});

describe('the next one gets the folder', () => {
  it('after a release, as often as there is one', async () => {
    for (const _ of [1, 2, 3]) {
      const lock = await acquireFolderLock(dataDir);
      await Promise.all([lock.release(), lock.release()]);
      expect(await folderHolder(dataDir)).toBeNull();
    }
    expect(readdirSync(join(dataDir, 'lock'))).toEqual(['3']);
  });

  it('after the holder was killed', async () => {
    const holder = await start();
    await tell(holder, 'acquire');
    await kill(holder);
    expect(await folderHolder(dataDir)).toBeNull();
    const lock = await acquireFolderLock(dataDir);
    expect(await folderHolder(dataDir)).toEqual({ pid: process.pid, url: null });
    await lock.release();
  });

  it('in a copy of the folder, while the original is held', async () => {
    const original = await acquireFolderLock(dataDir);
    const copy = join(base, 'copy');
    // A backup carries the files, not the sockets.
    cpSync(dataDir, copy, { recursive: true, filter: (path) => !path.endsWith('/s') });
    const second = await acquireFolderLock(copy);
    await Promise.all([original.release(), second.release()]);
  });
});

describe('of many who follow', () => {
  it('a dead process, exactly one gets the folder, again and again', async () => {
    let racers = await Promise.all([1, 2, 3].map(() => start()));
    for (let round = 1; round <= 15; round += 1) {
      const said = await Promise.all(racers.map((racer) => tell(racer, 'acquire')));
      expect(winnersIn(said), `round ${round}: ${JSON.stringify(said)}`).toBe(1);
      const winner = racers[said.findIndex(({ acquired }) => acquired)] ?? expect.fail('no winner');
      const crashes = round % 3 === 0;
      await (crashes ? kill(winner) : tell(winner, 'release'));
      if (crashes) racers = [...racers.filter((racer) => racer !== winner), await start()];
    }
  });

  it('one another within a process, exactly one gets the folder', async () => {
    for (let round = 1; round <= 30; round += 1) {
      const settled = await Promise.allSettled([1, 2, 3, 4].map(() => acquireFolderLock(dataDir)));
      const locks = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.release();
    }
    expect(readdirSync(join(dataDir, 'lock'))).toHaveLength(1);
  });

  it('a slow one gives back a number that became free below a higher one', async () => {
    putHolder('1', { pid: process.pid, startedAt: null, socket: 's', url: null }); // its socket is gone: it is dead
    const slow = acquireFolderLock(dataDir); // has seen 1, and asks its socket
    putHolder('3', { pid: process.pid, startedAt: null, socket: null, url: null });
    rmSync(join(dataDir, 'lock', '1'), { recursive: true });
    await expect(slow).rejects.toThrow(DataFolderInUseError);
    expect(readdirSync(join(dataDir, 'lock'))).toEqual(['3']);
  });

  const winnersIn = (said: readonly Said[]): number => {
    expect(said.every((answer) => answer.acquired || answer.code === 'DATA_FOLDER_IN_USE')).toBe(true);
    return said.filter(({ acquired }) => acquired).length;
  };
});

describe('where there can be no socket, the process decides', () => {
  const longPath = () => join(base, 'a-path-too-long-for-a-socket-'.repeat(4));

  it('and a living one keeps the folder, a killed one leaves it', async () => {
    const holder = await start(longPath());
    await tell(holder, 'acquire');
    await expect(acquireFolderLock(longPath())).rejects.toThrow(`process ${holder.pid}`);
    await kill(holder);
    await (await acquireFolderLock(longPath())).release();
  });

  it.runIf(process.platform === 'linux')('and a later process with the same id is not taken for it', async () => {
    putHolder('1', { pid: process.pid, startedAt: 'an-earlier-boot/1', socket: null, url: null });
    await (await acquireFolderLock(dataDir)).release();
  });
});
