// One asset of a site at a time: the others wait for their turn. Who waits for something else meanwhile lends the
// turn to the next.

/** Waits without holding up the others of the site, and goes on when it is its turn again. */
export type Lend = (waiting: () => Promise<void>) => Promise<void>;

export class SiteTurn {
  private last: Promise<void> = Promise.resolve();
  private failed: { error: unknown } | null = null;
  private fail: () => void = () => undefined;
  private readonly failure = new Promise<void>((resolve) => {
    this.fail = resolve;
  });

  /** In the order of the calls. After a failure nobody gets a turn any more: all fail with it. */
  async take<T>(work: (lend: Lend) => Promise<T>): Promise<T> {
    let release = await this.acquire();
    try {
      return await work(async (waiting) => {
        release();
        await Promise.race([waiting(), this.failure]);
        release = await this.acquire();
      });
    } catch (error) {
      this.failed ??= { error };
      this.fail();
      throw error;
    } finally {
      release();
    }
  }

  private async acquire(): Promise<() => void> {
    const before = this.last;
    let release: () => void = () => undefined;
    this.last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    if (!this.failed) return release;
    release();
    throw this.failed.error;
  }
}
