/** catch-up — what time brings about without anybody asking for it. */
import { PROCESSING_SPAN, processUsage } from './meter-processing.ts';
import type { World } from './world.ts';

/** All that is due by the clock as it stands. */
export function catchUp(world: World): void {
  for (const account of world.accounts) processUsage(account, account.now() - PROCESSING_SPAN);
}
