/** load — the process that calls; one job at a time, each told and answered over the channel to the measuring process. */
import './leash.ts';
import type { Job, LoadAnswer } from '../load/job.ts';
import { runJob } from '../load/run-job.ts';

const say = (answer: LoadAnswer): void => void process.send?.(answer);

process.on('message', (job: Job) => {
  runJob(job).then(
    (result) => say({ result }),
    (error: unknown) => say({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
process.channel?.ref(); // waiting for a job is what it lives for
