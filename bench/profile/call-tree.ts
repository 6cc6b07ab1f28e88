/** call-tree — a profile by rooms: whose time each node's own is, and the stacks for the flame graph. */
import { type CpuProfile, type ProfileNode, selfTimes } from './cpu-profile.ts';
import { folderOf, type Room, roomOf } from './rooms.ts';
import type { SourceOf } from './source-of.ts';

/** A function where it was called, with those that it called. */
export type Frame = {
  readonly name: string;
  readonly path: string;
  readonly room: Room;
  selfUs: number;
  readonly children: Map<string, Frame>;
};

export type Profiled = {
  readonly tree: Frame;
  readonly byRoom: ReadonlyMap<Room, number>;
  readonly byFolder: ReadonlyMap<string, number>;
  /** All but idle time. */
  readonly busyUs: number;
};

const NOBODY: Room = 'Node and system calls';
/** Time in which there was nothing to do. */
const IDLE = '(idle)';

export function profiled(profile: CpuProfile, fromUs: number, toUs: number, sourceOf: SourceOf): Profiled {
  const times = selfTimes(profile, fromUs, toUs);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const [root] = profile.nodes;
  if (!root) throw new Error('the profile is empty');
  const tree: Frame = { name: 'all', path: '', room: NOBODY, selfUs: 0, children: new Map() };
  const byRoom = new Map<Room, number>();
  const byFolder = new Map<string, number>();
  let busyUs = 0;
  const add = (node: ProfileNode, parent: Frame, parentRoom: Room | null, parentFolder: string): void => {
    const { functionName } = node.callFrame;
    if (functionName === IDLE) return;
    const path = sourceOf(node.callFrame);
    const room = roomOf(functionName, path, parentRoom);
    const own = folderOf(path);
    const folder = own === 'Node' && !functionName.startsWith('(') ? parentFolder : own;
    const frame = childOf(parent, functionName || '(anonymous)', path, room ?? NOBODY);
    const selfUs = times.get(node.id) ?? 0;
    frame.selfUs += selfUs;
    busyUs += selfUs;
    byRoom.set(frame.room, (byRoom.get(frame.room) ?? 0) + selfUs);
    byFolder.set(folder, (byFolder.get(folder) ?? 0) + selfUs);
    for (const child of childrenOf(node)) add(child, frame, room, folder);
  };
  const childrenOf = (node: ProfileNode) => (node.children ?? []).flatMap((id) => nodes.get(id) ?? []);
  for (const child of childrenOf(root)) add(child, tree, null, 'Node');
  return { tree, byRoom, byFolder, busyUs };
}

function childOf(parent: Frame, name: string, path: string, room: Room): Frame {
  const key = `${name} ${path}`;
  const known = parent.children.get(key);
  if (known) return known;
  const child: Frame = { name, path, room, selfUs: 0, children: new Map() };
  parent.children.set(key, child);
  return child;
}

/** With those that it called. */
export function totalUs(frame: Frame): number {
  let sum = frame.selfUs;
  for (const child of frame.children.values()) sum += totalUs(child);
  return sum;
}
