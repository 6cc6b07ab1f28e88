/**
 * leash — imported first by every process of a run: when the process that measures is gone, however it went, this one
 * ends too. Preloaded into the built gateway with `--import`, so that the gateway itself is run as users run it.
 */
const GRACE_MS = 12_000;

process.once('disconnect', () => {
  setTimeout(() => process.exit(1), GRACE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
process.channel?.unref(); // it must not keep a process alive that has finished
