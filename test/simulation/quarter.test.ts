import assert from 'node:assert/strict';
import { migrateCatalog } from '../../catalog/index.ts';
import { statusServices } from '../../api/wiring/status.ts';
import type { RecoveryPoint } from '../../domain/recovery-point.ts';
import { nextRun } from '../../domain/cadence/next-run.ts';
import { dueBetween } from '../../domain/cadence/due-between.ts';
import { scheduledRunsOf, type ScheduledRun } from '../../domain/cadence/scheduled-runs.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import type { MessageItem } from '../../domain/incidents/message.ts';
import { watchIncidents } from '../../workers/watch-incidents.ts';
import { partsOf } from '../api/parts.ts';
import { APPLICATION_PASSWORD, newDatabase } from '../catalog/fixture.ts';
import { seeded } from '../fixtures/seeded.ts';
import { ExpectedIncidents } from './expected-incidents.ts';
import { CONFIGURATION, drawEvents, FROM, TO, type Event } from './quarter.ts';
import { simulatedEstate, type Estate } from './simulated-estate.ts';
import { absent } from './simulated-repository.ts';
import { Specification } from './specification.ts';

const seed = Number(process.env['HOLDFAST_SIMULATION_SEED'] ?? 4);
/** A whole quarter takes minutes: that is for `npm run test:soak`. */
const FEWER_DAYS = 12;
const days = Number(process.env['HOLDFAST_SIMULATION_DAYS'] ?? FEWER_DAYS);
const END = new Date(Math.min(TO.getTime(), FROM.getTime() + days * 86_400_000));
const SIX_HOURS = 6 * 3_600_000;

describe(`a quarter of ${days} days (HOLDFAST_SIMULATION_SEED=${seed})`, function () {
  this.timeout(30 * 60_000);
  let told: MessageItem[];
  let incidents: ExpectedIncidents;
  let estate: Estate;
  let events: Event[];
  let specification: Specification;
  let begun: { id: string; at: number }[];
  /** Of them, those that have ended. */
  let ended: number;

  async function begin(): Promise<void> {
    [told, incidents, begun, ended] = [[], new ExpectedIncidents(), [], 0];
    const { url } = await migrateCatalog(await newDatabase(), { applicationPassword: APPLICATION_PASSWORD });
    const random = seeded(seed);
    const at = { file: '/estate/holdfast.yaml', folder: '/estate' };
    events = drawEvents(random, parseConfiguration(CONFIGURATION, at).configuration, END);
    const during = (kind: Event['kind'], name: string, now: Date) =>
      events.some(
        (event) =>
          event.kind === kind && Object.values(event).includes(name) && event.from <= now && now < event.to,
      );
    estate = await simulatedEstate({
      catalogUrl: url,
      configuration: CONFIGURATION,
      from: FROM,
      weather: (repository, now) => {
        if (during('unreachable', repository, now)) throw unreachable(repository);
        if (during('vanished', repository, now)) throw absent(repository);
      },
      fortune: {
        isMissing: (asset, now) => during('missing', asset, now),
        isWrong: (asset, now) => during('wrong', asset, now),
      },
      hostClockAhead: (now) =>
        events.find(
          (event): event is Event & { kind: 'clock' } =>
            event.kind === 'clock' && event.from <= now && now < event.to,
        )?.aheadBy ?? 0,
    });
    specification = new Specification(estate.configuration, events, END);
  }
  after(() => estate?.close());

  it('is gone through with everything as it was to be, day by day', async () => {
    await begin();
    await goThrough();
  });

  async function goThrough(): Promise<void> {
    const all = estate.configuration.policies.flatMap(scheduledRunsOf);
    for (let last = FROM; ;) {
      const tick = new Date((Math.floor(last.getTime() / SIX_HOURS) + 1) * SIX_HOURS);
      const edges = events.flatMap(({ from, to }) => [from, to]).filter((edge) => edge > last);
      const dues = all.map((run) => nextRun(run, last));
      const at = new Date(Math.min(...[tick, ...edges, ...dues].map((moment) => moment.getTime())));
      if (at > END) break;
      await estate.goTo(at);
      for (const event of events) await edge(event, at);
      for (const run of all.filter((one) => nextRun(one, last).getTime() === at.getTime())) {
        if (!isAway(at) && !isPaused(run.policy, at)) await start(run, at);
      }
      if (at.getTime() === tick.getTime()) {
        await look();
        if (tick.getUTCHours() === 6) await compare();
      }
      last = at;
    }
    await compare();
    const opened = incidents.told.filter(({ kind }) => kind === 'opened').length;
    process.stdout.write(
      `      ${begun.length} runs, ${specification.taken} points taken, ${specification.points.length} left, ${opened} incidents\n`,
    );
  }

  it('has begun every run that was due, and after an outage one of each', () => {
    const expected = specification.runs.map(({ run, at }) => ({ id: run.id, at }));
    assert.deepEqual(begun, expected);
  });

  it('has stopped retention whenever the clock was wrong, and gone on when it was right', async () => {
    const jumps = events.filter((event): event is Event & { kind: 'clock' } => event.kind === 'clock');
    assert.ok(jumps.length >= 2, 'a year ahead and a year back');
    const seen = (await estate.catalog.audit.list({ action: 'clock.jumped', limit: 100 })).items;
    const years = seen.map(({ details }) => new Date(String(details['to'])).getUTCFullYear());
    const expected = jumps.map(({ from, aheadBy }) => new Date(from.getTime() + aheadBy).getUTCFullYear());
    assert.deepEqual(years.sort(), expected.sort());
    assert.equal(await estate.catalog.clock.jump(estate.now()), null);
  });

  it('has told every incident once, and its end', () => {
    const keys = [...new Set(incidents.told.map(({ key }) => key))].sort();
    assert.deepEqual([...new Set(told.map(({ key }) => key))].sort(), keys);
    for (const key of keys) {
      const said = told.filter((item) => item.key === key && item.event !== 'reminder');
      const expected = incidents.told.filter((item) => item.key === key).map(({ kind }) => kind);
      assert.deepEqual(
        said.map(({ event }) => event),
        expected,
        key,
      );
      for (const id of new Set(said.map((item) => item.id))) {
        const ofOne = told.filter((item) => item.id === id);
        assert.equal(new Set(ofOne.map(({ thread }) => thread)).size, 1, `${id} in one thread`);
        assert.equal(ofOne[0]?.event, 'opened');
      }
    }
    const long = /\/(successRate|errorBudget)$/;
    assert.deepEqual(
      incidents.open().filter((key) => !long.test(key)),
      [],
      'the quarter ends quietly, but for what was lost of a month',
    );
  });

  function isAway(at: Date): boolean {
    return events.some((event) => event.kind === 'away' && event.from <= at && at < event.to);
  }

  function isPaused(policy: string, at: Date): boolean {
    return events.some(
      (event) => event.kind === 'paused' && event.policy === policy && event.from <= at && at < event.to,
    );
  }

  async function start(run: ScheduledRun, at: Date): Promise<void> {
    begun.push({ id: run.id, at: at.getTime() });
    await estate.run(run);
    ended += 1;
    await look();
  }

  /** What a person does, and what Temporal does when it is back. */
  async function edge(event: Event, at: Date): Promise<void> {
    const { catalog } = estate;
    const [begins, ends] = [event.from, event.to].map((one) => one.getTime() === at.getTime());
    if (event.kind === 'paused' && begins)
      await catalog.policyPauses.pause(event.policy, 'the array is rebuilt', at.toISOString());
    if (event.kind === 'paused' && ends)
      await catalog.policyPauses.resume(event.policy, 'it is rebuilt', at.toISOString());
    if (event.kind === 'held' && begins) {
      const point = await pointAt(event.asset, specification.hold(event));
      await catalog.holds.place(point.id, { owner: holder(event), reason: 'a case' });
    }
    if (event.kind === 'held' && ends) {
      const point = await pointAt(event.asset, specification.hold(event));
      await catalog.holds.release(point.id, 'the case is closed', holder(event));
    }
    if (event.kind === 'away' && ends) {
      for (const run of estate.configuration.policies.flatMap(scheduledRunsOf)) {
        const since = new Date(Math.max(event.from.getTime(), at.getTime() - run.catchUpSeconds * 1000));
        for (const _ of dueBetween(run, since, at)) await start(run, at);
      }
    }
  }

  async function look(): Promise<void> {
    const now = estate.now();
    const send = async (_: unknown, message: { kind: string }) => {
      if (message.kind === 'incidents')
        told.push(...(message as { items: MessageItem[] } & typeof message).items);
      return { words: 'taken' };
    };
    await watchIncidents({ catalog: estate.catalog, send, now: () => now, random: () => 0.5 });
    specification.advance(ended);
    incidents.look(specification.wrong(now), now);
    const open = (await estate.catalog.incidents.list({ limit: 100 })).items.map(({ key }) => key).sort();
    assert.deepEqual(open, incidents.open(), `open at ${now.toISOString()}`);
  }

  async function compare(): Promise<void> {
    const now = estate.now();
    const when = `at ${now.toISOString()}`;
    for (const repository of estate.repositories.values()) {
      const expected = specification.points
        .filter(({ copies }) => copies.has(repository.name))
        .map(({ asset, at }) => nameOf(asset, at))
        .sort();
      const stored = [...repository.stored.values()].map(({ labels }) =>
        nameOf(labels!.asset, startOf(labels!.takenAt)),
      );
      assert.deepEqual(stored.sort(), expected, `snapshots in ${repository.name} ${when}`);
      const known = (await everyPoint()).filter(({ copies }) =>
        copies.some((copy) => copy.repository === repository.name),
      );
      const names = known.map(({ asset, takenAt }) => nameOf(asset, startOf(takenAt)));
      assert.deepEqual(names.sort(), expected, `copies in ${repository.name} ${when}`);
    }
    await compareFigures(now, when);
  }

  async function compareFigures(now: Date, when: string): Promise<void> {
    const parts = { ...partsOf(estate.catalog, estate.environment.client), clock: () => now };
    const { assets } = await statusServices(parts).status();
    const points = await everyPoint();
    for (const item of assets) {
      const policy = estate.configuration.policies.find(({ name }) => name === item.policy)!;
      const takenAt = (proof: 'verified' | 'proven') => {
        const newest = specification.newest(item.asset, proof);
        return points.find((one) => newest && one.asset === item.asset && startOf(one.takenAt) === newest.at)
          ?.takenAt;
      };
      const ageOf = (time: string | undefined) =>
        time === undefined ? null : Math.floor((now.getTime() - Date.parse(time)) / 1000);
      const own = takenAt(policy.proof === 'proven' ? 'proven' : 'verified');
      const proven = specification.lastProven.get(item.asset);
      const windows = (of: (from: string) => object) => ({
        days7: of(firstDay(now, 7)),
        days30: of(firstDay(now, 30)),
        days90: of(firstDay(now, 90)),
      });
      const counts = (outcomes: Specification['backups'], missed: number[]) => (from: string) => {
        const mine = outcomes.filter(
          ({ asset, policy: of, at }) => asset === item.asset && of === policy.name && dayOf(at) >= from,
        );
        const succeeded = mine.filter(({ ok }) => ok).length;
        const failed = mine.length - succeeded;
        const absent = missed.filter((at) => dayOf(at) >= from).length;
        const due = succeeded + failed + absent;
        return { succeeded, failed, missed: absent, rate: due === 0 ? null : succeeded / due };
      };
      const missed = specification.missed(policy.name, now);
      const backups = windows(counts(specification.backups, missed));
      assert.deepEqual(
        {
          rpo: [item.rpo.actualSeconds, item.rpo.verifiedSeconds],
          lastProvenAt: item.lastProvenAt && startOf(item.lastProvenAt),
          rto: item.rto.measuredSeconds,
          backups: item.successRates.backups,
          validations: item.successRates.validations,
          budget: item.errorBudget && [item.errorBudget.used, item.errorBudget.rate],
        },
        {
          rpo: [ageOf(own), ageOf(takenAt('proven'))],
          lastProvenAt: proven ?? null,
          rto: proven === undefined ? null : 0,
          backups,
          validations: windows(counts(specification.validations, [])),
          budget: budgetOf(policy.objectives.successRate, backups.days30 as never),
        },
        `figures of ${item.asset} ${when}`,
      );
    }
  }

  async function everyPoint(): Promise<RecoveryPoint[]> {
    const pages = await Promise.all(
      estate.configuration.assets.map(({ name }) => estate.catalog.points.list({ asset: name, limit: 500 })),
    );
    return pages.flatMap(({ items }) => items);
  }

  async function pointAt(asset: string, at: number): Promise<RecoveryPoint> {
    const found = (await everyPoint()).find(
      (point) => point.asset === asset && startOf(point.takenAt) === at,
    );
    assert.ok(found, `the point of ${asset} from ${new Date(at).toISOString()} is there`);
    return found;
  }

  /** The beginning of the run in which it was: retries take minutes, and runs are further apart. */
  function startOf(time: string): number {
    const at = Date.parse(time);
    return Math.max(...begun.map((run) => run.at).filter((start) => start <= at));
  }
});

function holder(event: Event): string {
  return `case of ${event.from.toISOString()}`;
}

function nameOf(asset: string, at: number): string {
  return `${asset} ${new Date(at).toISOString()}`;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function firstDay(now: Date, count: number): string {
  return dayOf(now.getTime() - (count - 1) * 86_400_000);
}

function budgetOf(
  objective: number | null | undefined,
  { failed, missed, rate }: { failed: number; missed: number; rate: number | null },
) {
  return objective ? [failed + missed, rate] : null;
}

function unreachable(repository: string): HoldfastError {
  return new HoldfastError({
    code: 'repository.unreachable',
    message: `${repository} does not answer`,
    hint: 'wait',
  });
}
