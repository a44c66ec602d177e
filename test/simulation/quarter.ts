// What a quarter brings: the estate, and what the seeded generator does to it, nothing of it at a moment when
// something is due.

import { nextRun } from '../../domain/cadence/next-run.ts';
import { scheduledRunsOf, type ScheduledRun } from '../../domain/cadence/scheduled-runs.ts';
import type { Configuration } from '../../domain/configuration/types.ts';

export const FROM = new Date('2040-01-02T00:05:00Z');
export const DAYS = 90;
export const TO = new Date(FROM.getTime() + DAYS * 86_400_000);

export const CONFIGURATION = `
version: 1
# Its loop is not among those played here.
controlPlane: { repositories: [] }
repositories:
  - { name: near, type: restic, url: "s3:https://near.example.org/near", password: "file:./near.key" }
  - { name: far, type: restic, url: "s3:https://far.example.org/far", password: "file:./far.key" }
assets:
  - { name: ledger, type: directory, path: /srv/ledger, class: critical }
  - { name: tree, type: directory, path: /srv/tree }
  - { name: vault, type: directory, path: /srv/vault }
policies:
  - name: often
    assets: [ledger, tree]
    every: 18h
    repository: near
    copies: [{ repository: far, retention: { keepLast: 2, keepDaily: 30 } }]
    retention: { keepLast: 4, keepDaily: 14, keepWeekly: 4 }
    proof: verified
    objectives: { rpo: 39h, rto: 1h, successRate: "90%" }
    verification: { every: 7d, within: 23d, rehearse: 15d }
  - name: daily
    assets: [vault]
    cron: "20 3 * * *"
    repository: far
    copies: [near]
    retention: { keepDaily: 7, keepMonthly: 3 }
    proof: proven
    objectives: { rpo: 30h, rto: 1h }
notifications:
  - { name: room, type: slack, url: "env:SLACK_URL", severity: info }
`;

export type Event = { from: Date; to: Date } & (
  | { kind: 'away' }
  | { kind: 'unreachable' | 'vanished'; repository: string }
  | { kind: 'missing' | 'wrong'; asset: string }
  | { kind: 'paused'; policy: string }
  | { kind: 'held'; asset: string }
  | { kind: 'clock'; aheadBy: number }
);

const HOUR = 3_600_000;
const REPOSITORIES = ['near', 'far'];
const ASSETS = ['ledger', 'tree', 'vault'];
const POLICIES = ['often', 'daily'];

/** Outages one after another; holds whenever, also during them. The last days are quiet, so that all can settle. */
export function drawEvents(random: () => number, configuration: Configuration, end: Date): Event[] {
  const one = (names: readonly string[]) => names[Math.floor(random() * names.length)]!;
  const quiet = end.getTime() - 5 * 24 * HOUR;
  const runs = configuration.policies.flatMap(scheduledRunsOf);
  const moment = (at: number) => clearOf(runs, new Date(Math.floor(at / HOUR) * HOUR + HOUR / 2));
  const events: Event[] = [];
  let at = FROM.getTime() + 2 * 24 * HOUR;
  for (let count = 0; ; count += 1) {
    at += (6 + random() * 60) * HOUR;
    // The first ones are one of each kind.
    const kind = count < KINDS.length ? KINDS[count]! : one(KINDS);
    const hours = kind === 'away' ? 1 + random() * 71 : 6 + random() * 48;
    const [from, to] = [moment(at), moment(at + hours * HOUR)];
    if (to.getTime() > quiet) break;
    at = to.getTime();
    if (kind === 'away') events.push({ kind, from, to });
    else if (kind === 'unreachable' || kind === 'vanished')
      events.push({ kind, from, to, repository: one(REPOSITORIES) });
    else if (kind === 'paused') events.push({ kind, from, to, policy: one(POLICIES) });
    else if (kind === 'missing') events.push({ kind, from, to, asset: one(ASSETS) });
    else events.push({ kind: 'wrong', from, to, asset: count < KINDS.length ? 'vault' : one(ASSETS) });
  }
  for (let count = 0; count < 6; count += 1) {
    const begins = FROM.getTime() + (3 + random() * 60) * 24 * HOUR;
    const [from, to] = [moment(begins), moment(begins + (5 + random() * 30) * 24 * HOUR)];
    events.push({ kind: 'held', from, to, asset: one(ASSETS) });
  }
  events.push(...drawClockJumps(random, runs, events, quiet));
  return events.sort((one, other) => one.from.getTime() - other.from.getTime());
}

const KINDS = ['away', 'unreachable', 'wrong', 'paused', 'missing', 'vanished'] as const;

/**
 * A host's clock is wrong for an hour in which retention is due and nothing else: what is backed up by a wrong
 * clock keeps its time, and a person has to take it away before retention goes on.
 */
function drawClockJumps(
  random: () => number,
  runs: readonly ScheduledRun[],
  events: readonly Event[],
  until: number,
): Event[] {
  const isClear = ({ from, to, policy }: { from: Date; to: Date; policy: string }) =>
    runs.flatMap((run) => duesWithin(run, from.getTime() - HOUR / 4, to.getTime() + HOUR / 4)).length === 1 &&
    !events.some((event) => [event.from, event.to].some((edge) => from <= edge && edge <= to)) &&
    !events.some(
      (event) =>
        (event.kind === 'away' || (event.kind === 'paused' && event.policy === policy)) &&
        event.from <= from &&
        to <= event.to,
    );
  const hours = runs
    .filter(({ kind }) => kind === 'retention')
    .flatMap((run) =>
      duesWithin(run, FROM.getTime() + 2 * 24 * HOUR, until).map((due) => ({
        from: new Date(due - HOUR / 2),
        to: new Date(due + HOUR / 2),
        policy: run.policy,
      })),
    )
    .filter(isClear);
  return [YEAR, -YEAR, YEAR, -YEAR].flatMap((aheadBy): Event[] => {
    const [hour] = hours.splice(Math.floor(random() * hours.length), 1);
    return hour ? [{ kind: 'clock', from: hour.from, to: hour.to, aheadBy }] : [];
  });
}

const YEAR = 365 * 24 * HOUR;

/** After `from`, up to `to`. */
function duesWithin(run: ScheduledRun, from: number, to: number): number[] {
  const dues: number[] = [];
  for (let due = nextRun(run, new Date(from)); due.getTime() <= to; due = nextRun(run, due))
    dues.push(due.getTime());
  return dues;
}

/** A quarter of an hour from whatever is due: retries take minutes. */
function clearOf(runs: readonly ScheduledRun[], moment: Date): Date {
  const margin = HOUR / 4;
  const before = new Date(moment.getTime() - margin);
  const close = runs.some((run) => nextRun(run, before).getTime() < moment.getTime() + margin);
  return close ? clearOf(runs, new Date(moment.getTime() + margin)) : moment;
}
