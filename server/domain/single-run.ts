/** single-run — work of which there is one run at a time. */
export class SingleRun<T> {
  readonly #work: () => Promise<T>;
  #running: Promise<T> | null = null;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  /** Asked for meanwhile, it is the same run. */
  run(): Promise<T> {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** When the run that has begun is over; at once, where none has. Fails as it does. */
  async over(): Promise<void> {
    await this.#running;
  }
}
