// What must be true of the quarter, worked out from what was done to the estate and from nothing that the
// pipelines say: which runs there are, how each ends, which points are where, and what is wrong at a moment.

import { scheduledRunsOf, type ScheduledRun } from '../../domain/cadence/scheduled-runs.ts';
import type { Configuration, Policy } from '../../domain/configuration/types.ts';
import { planRetention } from '../../domain/retention/plan.ts';
import { FROM, type Event } from './quarter.ts';

/** Times are milliseconds, those at which runs were due or made up for. */
export interface ExpectedPoint {
  asset: string;
  at: number;
  /** By repository. */
  copies: Map<string, { verified: boolean; proven: boolean }>;
}

export interface ExpectedRun {
  run: ScheduledRun;
  at: number;
}

interface Outcome {
  policy: string;
  asset: string;
  at: number;
  ok: boolean;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export class Specification {
  points: ExpectedPoint[] = [];
  readonly runs: ExpectedRun[];
  readonly backups: Outcome[] = [];
  readonly validations: Outcome[] = [];
  readonly lastProven = new Map<string, number>();
  taken = 0;
  private done = 0;
  private readonly lastEnds = new Map<string, boolean>();
  private readonly lastStarts = new Map<string, number>();
  private readonly heldPoints = new Map<Event, number>();
  private readonly readings = new Map<string, { read: number | null; began: number }>();

  constructor(
    private readonly configuration: Configuration,
    private readonly events: readonly Event[],
    until: Date,
  ) {
    const all = configuration.policies.flatMap((policy) => scheduledRunsOf(policy));
    const order = new Map(all.map((run, index) => [run, index]));
    this.runs = all
      .flatMap((run) => this.startsOf(run, until.getTime()))
      .sort((one, other) => one.at - other.at || order.get(one.run)! - order.get(other.run)!);
  }

  /** Lets the first so many runs happen. */
  advance(runs: number): void {
    for (; this.done < Math.min(runs, this.runs.length); this.done += 1) {
      const { run, at } = this.runs[this.done]!;
      const policy = this.configuration.policies.find(({ name }) => name === run.policy)!;
      if (run.kind === 'backup') this.backUp(policy, at);
      if (run.kind === 'retention') this.retain(policy, at);
      if (run.kind === 'verify') this.verify(policy, at);
    }
  }

  /** Runs of a policy that were due in an outage of Temporal, but for the one that was made up for. */
  missed(policy: string, now: Date): number[] {
    const [run] = scheduledRunsOf(this.configuration.policies.find(({ name }) => name === policy)!);
    return this.of('away').flatMap(({ from, to }) => {
      const due = duesOf(run!, from.getTime(), Math.min(to.getTime(), now.getTime()));
      // One that is just beginning is not missed yet.
      if (now < to) return due.filter((at) => at <= now.getTime() - 10 * MINUTE);
      return due.slice(0, -1);
    });
  }

  newest(asset: string, proof: 'verified' | 'proven'): ExpectedPoint | undefined {
    const good = this.points.filter(
      (point) => point.asset === asset && [...point.copies.values()].some((copy) => copy[proof]),
    );
    return good.sort((one, other) => other.at - one.at)[0];
  }

  /** Keys of what is wrong now. */
  wrong(now: Date): string[] {
    const keys = [...this.lastEnds].filter(([, ok]) => !ok).map(([key]) => key);
    for (const policy of this.configuration.policies) {
      const proof = policy.proof === 'proven' ? 'proven' : 'verified';
      for (const asset of policy.assets) {
        const newest = this.newest(asset, proof);
        if (newest && now.getTime() - newest.at > policy.objectives.rpoSeconds! * 1000)
          keys.push(`asset/${asset}/rpo`);
        keys.push(...this.overdrawn(policy, asset, now));
      }
      if (this.isOverdue(policy, now.getTime())) keys.push(`policy/${policy.name}/overdue`);
    }
    return keys.sort();
  }

  /** What failed or was missed in the last 30 days, today included, against what the policy allows of what was due. */
  private overdrawn(policy: Policy, asset: string, now: Date): string[] {
    const { successRate } = policy.objectives;
    if (!successRate) return [];
    const from = Math.floor(now.getTime() / DAY) * DAY - 29 * DAY;
    const missed = this.missed(policy.name, now).filter((at) => at >= from).length;
    const ended = this.backups.filter(
      (one) => one.policy === policy.name && one.asset === asset && one.at >= from,
    );
    const wrong = ended.filter(({ ok }) => !ok).length + missed;
    const left = (ended.length + missed) * (1 - successRate) - wrong;
    if (wrong === 0 || left > 1e-9) return [];
    return [`asset/${asset}/${left < -1e-9 ? 'successRate' : 'errorBudget'}`];
  }

  /** Without a start for a period and an hour of grace; what a pause kept from running was not due. */
  private isOverdue(policy: Policy, now: number): boolean {
    const pauses = this.of('paused').filter((event) => event.policy === policy.name);
    if (pauses.some(({ from, to }) => from.getTime() <= now && now < to.getTime())) return false;
    const resumed = pauses.map(({ to }) => to.getTime()).filter((at) => at <= now);
    const from = Math.max(FROM.getTime(), this.lastStarts.get(policy.name) ?? 0, ...resumed);
    if (policy.cadence.kind === 'every') return now - from > policy.cadence.seconds * 1000 + HOUR;
    const [run] = scheduledRunsOf(policy);
    return duesOf(run!, from, now - HOUR).length > 0;
  }

  /** On its cadence, and once after an outage in which it was due; not while it is paused. */
  private startsOf(run: ScheduledRun, until: number): ExpectedRun[] {
    const away = this.of('away');
    const paused = this.of('paused').filter(({ policy }) => policy === run.policy);
    const during = (events: readonly Event[], at: number) =>
      events.some(({ from, to }) => from.getTime() <= at && at < to.getTime());
    const kept = duesOf(run, FROM.getTime(), until).filter((at) => !during(away, at) && !during(paused, at));
    const madeUp = away
      .filter(({ from, to }) => duesOf(run, from.getTime(), to.getTime()).length > 0)
      .map(({ to }) => to.getTime());
    return [...kept, ...madeUp].filter((at) => at <= until).map((at) => ({ run, at }));
  }

  private backUp(policy: Policy, at: number): void {
    this.lastStarts.set(policy.name, at);
    for (const asset of policy.assets) {
      const ok = this.backUpAsset(policy, asset, at);
      this.backups.push({ policy: policy.name, asset, at, ok });
      this.lastEnds.set(`policy/${policy.name}/${asset}/backup`, ok);
    }
  }

  private backUpAsset(policy: Policy, asset: string, at: number): boolean {
    if (this.isMissing(asset, at) || this.isDown(policy.repository, at)) return false;
    const point: ExpectedPoint = { asset, at, copies: new Map() };
    this.points.push(point);
    this.taken += 1;
    let last = policy.repository;
    for (const repository of repositoriesOf(policy)) {
      if (this.isDown(repository, at)) continue;
      point.copies.set(repository, { verified: false, proven: false });
      last = repository;
    }
    const copied = point.copies.size === repositoriesOf(policy).length;
    if (policy.proof === 'proven') return this.rehearse(policy, point, last, at) && copied;
    point.copies.get(last)!.verified = true;
    return copied;
  }

  private rehearse(policy: Policy, point: ExpectedPoint, repository: string, at: number): boolean {
    const ok = !this.isDown(repository, at) && !this.isWrong(point.asset, at);
    this.validations.push({ policy: policy.name, asset: point.asset, at, ok });
    if (!ok) return false;
    Object.assign(point.copies.get(repository)!, { verified: true, proven: true });
    this.lastProven.set(point.asset, at);
    return true;
  }

  private retain(policy: Policy, at: number): void {
    // By a wrong clock nothing goes.
    let ok = !this.of('clock').some((event) => lasts(event, at));
    for (const repository of ok ? repositoriesOf(policy) : []) {
      ok = !this.isDown(repository, at) && this.retainIn(policy, repository, at) && ok;
    }
    for (const asset of policy.assets) this.lastEnds.set(`policy/${policy.name}/${asset}/retention`, ok);
  }

  private retainIn(policy: Policy, repository: string, at: number): boolean {
    const own = policy.copies.find((copy) => copy.repository === repository)?.retention;
    const gone: ExpectedPoint[] = [];
    for (const asset of policy.assets) {
      const here = this.points.filter((point) => point.asset === asset && point.copies.has(repository));
      const decisions = planRetention({
        points: here.map((point) => this.asPlanned(point, repository, at)),
        rules: own ?? policy.retention,
        immutableDays: null,
        now: new Date(at),
      });
      const dropped = decisions.filter(({ decision }) => decision === 'drop');
      if (here.length > 4 && dropped.length > here.length / 2) return false;
      gone.push(...here.filter((point) => dropped.some((one) => one.recoveryPointId === idOf(point))));
    }
    for (const point of gone) point.copies.delete(repository);
    this.points = this.points.filter(({ copies }) => copies.size > 0);
    return true;
  }

  private asPlanned(point: ExpectedPoint, repository: string, at: number) {
    const takenAt = new Date(point.at).toISOString();
    const { verified, proven } = point.copies.get(repository)!;
    const holds = this.of('held').filter(
      (event) =>
        event.from.getTime() <= at && at < event.to.getTime() && this.heldPoints.get(event) === point.at,
    );
    return {
      id: idOf(point),
      kind: 'regular' as const,
      takenAt,
      storedAt: takenAt,
      verifiedAt: verified ? takenAt : null,
      provenAt: proven ? takenAt : null,
      damaged: false,
      held: holds.filter(({ asset }) => asset === point.asset).map(() => ({ owner: 'x', reason: 'y' })),
      expiresAt: null,
    };
  }

  /** Somebody holds the newest point there was when the hold began. */
  hold(event: Event & { kind: 'held' }): number {
    const known = this.heldPoints.get(event);
    if (known !== undefined) return known;
    const newest = Math.max(...this.points.filter(({ asset }) => asset === event.asset).map(({ at }) => at));
    this.heldPoints.set(event, newest);
    return newest;
  }

  /** Reads what would be over its time if the next run failed, then rehearses likewise. */
  private verify(policy: Policy, at: number): void {
    const { cadence, withinSeconds, rehearseSeconds } = policy.verification!;
    const every = (cadence.kind === 'every' ? cadence.seconds : 0) * 1000;
    let allRead = true;
    let anyRead = false;
    for (const repository of repositoriesOf(policy)) {
      const known = this.readings.get(repository) ?? { read: null, began: at };
      if (known.read !== null && known.read + withinSeconds * 1000 - at >= 2 * every) continue;
      anyRead = true;
      this.readings.set(repository, known);
      if (this.isDown(repository, at)) allRead = false;
      else this.read(repository, known, at);
    }
    for (const asset of policy.assets) {
      const proven = this.lastProven.get(asset);
      const point = this.points.filter((one) => one.asset === asset).sort((a, b) => b.at - a.at)[0];
      const due = point && (proven === undefined || proven + rehearseSeconds! * 1000 < at + every);
      const from = repositoriesOf(policy)
        .filter((name) => point?.copies.has(name))
        .at(-1);
      const ok = due && from ? this.rehearse(policy, point, from, at) : true;
      if (anyRead || due) this.lastEnds.set(`policy/${policy.name}/${asset}/verify`, ok && allRead);
    }
  }

  /** Proves what lay there when the reading before this one was over; of what came since, it is not known. */
  private read(repository: string, known: { read: number | null; began: number }, at: number): void {
    for (const point of this.points) {
      const copy = point.copies.get(repository);
      if (copy && point.at < known.began) copy.verified = true;
    }
    Object.assign(known, { read: at, began: at });
  }

  private of<Kind extends Event['kind']>(kind: Kind): (Event & { kind: Kind })[] {
    return this.events.filter((event): event is Event & { kind: Kind } => event.kind === kind);
  }

  private isDown(repository: string, at: number): boolean {
    const down = [...this.of('unreachable'), ...this.of('vanished')];
    return down.some((event) => event.repository === repository && lasts(event, at));
  }

  private isMissing(asset: string, at: number): boolean {
    return this.of('missing').some((event) => event.asset === asset && lasts(event, at));
  }

  private isWrong(asset: string, at: number): boolean {
    return this.of('wrong').some((event) => event.asset === asset && lasts(event, at));
  }
}

/** After `from`, up to `to`. */
export function duesOf(run: ScheduledRun, from: number, to: number): number[] {
  const every = run.cadence.kind === 'every' ? run.cadence.seconds * 1000 : DAY;
  // The only cron expression of the estate is daily at 03:20.
  const offset = run.cadence.kind === 'every' ? run.offsetSeconds * 1000 : 3 * HOUR + 20 * MINUTE;
  const dues: number[] = [];
  for (let at = Math.floor((from - offset) / every) * every + offset; at <= to; at += every)
    if (at > from) dues.push(at);
  return dues;
}

function lasts({ from, to }: Event, at: number): boolean {
  return from.getTime() <= at && at < to.getTime();
}

function repositoriesOf(policy: Policy): string[] {
  return [policy.repository, ...policy.copies.map(({ repository }) => repository)];
}

function idOf({ asset, at }: ExpectedPoint): string {
  return `${asset}@${new Date(at).toISOString()}`;
}
