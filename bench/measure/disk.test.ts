/** Goal: nothing is measured while the disk is busy, unless that is said. Method: a disk that writes what a list says. */
import { expect, it } from 'vitest';
import { awaitIdleDisk, bytesWrittenIn } from './disk.ts';

const MIB = 2 ** 20;

it.each([
  // written in each second, within, says
  [[0], 5_000, { isIdle: true, waitedMs: 1_000 }],
  [[900 * MIB, 90 * MIB, MIB, 7], 5_000, { isIdle: true, waitedMs: 3_000 }], // a system's own is none
  [[9 * MIB, 9 * MIB, 9 * MIB], 2_000, { isIdle: false, waitedMs: 2_000 }],
] as const)('a disk that writes %j, within %d ms', async (seconds, withinMs, says) => {
  let [second, written] = [0, 1_000 * MIB];
  const pause = async (ms: number) => {
    written += seconds[second] ?? 0;
    second += ms / 1_000;
  };
  expect(await awaitIdleDisk(withinMs, () => written, pause)).toEqual(says);
});

it('says where the system does not tell', async () =>
  expect(
    await awaitIdleDisk(
      5_000,
      () => null,
      async () => {},
    ),
  ).toEqual({ isIdle: null, waitedMs: 1_000 }));

it('adds up what all disks have written', () => {
  const diskstats = [
    '   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0',
    ' 254       0 vda 25455 5566 1075426 25696 171420 107670 17220640 36467 0 16668 68255 47670 28 8658072 3699 68123 2392',
    ' 254      16 vdb 1 1 1 1 1 1 2 1 0 1 1', // an old kernel tells less
    '',
  ];
  expect(bytesWrittenIn(diskstats.join('\n'))).toBe((17_220_640 + 2) * 512);
});
