/** load — the process that calls; one job at a time, each told and answered over the channel to the measuring process. */
import './leash.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import type { Job, LoadAnswer } from '../load/job.ts';

const say = (answer: LoadAnswer): void => void process.send?.(answer);

process.on('message', (job: Job) => {
  runClosedLoop(job).then(
    (result) => say({ result }),
    (error: unknown) => say({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
process.channel?.ref(); // waiting for a job is what it lives for
