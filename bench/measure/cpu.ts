/**
 * cpu — processor time as the kernel counts it. Linux only (`/proc`); elsewhere every answer is null, and the report
 * leaves those columns empty.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The kernel's unit in /proc: 100 a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Processor time of one process so far. */
export function cpuMsOf(pid: number): number | null {
  const stat = statOf(pid);
  return stat && stat.ownTicks * MS_PER_TICK;
}

/** Of a process and its children, those that have ended included, if it waits for them: for a Postgres and its backends. */
export function cpuMsOfFamily(pid: number): number | null {
  const parent = statOf(pid);
  if (!parent) return null;
  const living = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? [])
    .filter(({ parentPid }) => parentPid === pid);
  const ticks = living.reduce((sum, child) => sum + child.ownTicks, parent.ownTicks + parent.endedChildrenTicks);
  return ticks * MS_PER_TICK;
}

/** Of the whole machine, whoever used it; time taken by a hypervisor included. */
export function cpuMsOfMachine(): number | null {
  if (!existsSync('/proc/stat')) return null;
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line.split(/\s+/).map(Number);
  return (user + nice + system + irq + softIrq + steal) * MS_PER_TICK;
}

type Stat = { readonly parentPid: number; readonly ownTicks: number; readonly endedChildrenTicks: number };

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function statOf(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // ended, or not Linux
  }
  // The second field is the program's name, which may hold anything; fields are counted from behind it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parentPid = 0] = fields;
  const [userTicks = 0, systemTicks = 0, endedUserTicks = 0, endedSystemTicks = 0] = fields.slice(11, 15);
  return { parentPid, ownTicks: userTicks + systemTicks, endedChildrenTicks: endedUserTicks + endedSystemTicks };
}
