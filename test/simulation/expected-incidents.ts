// How what is wrong becomes incidents, as it is promised: one for each spell, told when it opens and when it has
// stayed away for five minutes.

export interface Told {
  key: string;
  kind: 'opened' | 'resolved';
}

const SETTLE = 5 * 60_000;
/** How exactly it is known when something was last seen. */
const SEEN = 60_000;

export class ExpectedIncidents {
  readonly told: Told[] = [];
  private readonly seen = new Map<string, number>();

  look(wrong: readonly string[], now: Date): void {
    for (const key of wrong) {
      const before = this.seen.get(key);
      if (before === undefined) this.told.push({ key, kind: 'opened' });
      if (before === undefined || now.getTime() - before >= SEEN) this.seen.set(key, now.getTime());
    }
    for (const [key, last] of this.seen) {
      if (wrong.includes(key) || now.getTime() - last < SETTLE) continue;
      this.seen.delete(key);
      this.told.push({ key, kind: 'resolved' });
    }
  }

  open(): string[] {
    return [...this.seen.keys()].sort();
  }
}
