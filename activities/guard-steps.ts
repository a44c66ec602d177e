import type { Room, Watermark } from '../domain/guards/watermark.ts';
import { admissionOf, decideWatermark, roomWords } from '../domain/guards/watermark.ts';
import type { Asset, Configuration, Repository as Configured } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { runStep } from './activity-step.ts';
import { failureNoted } from './copy-attempt.ts';
import type { GuardInput, GuardVerdict, HostActivities } from './contract.ts';
import { assetOf, configurationOf, type Deployment } from './deployment.ts';
import { expectRoom, spaceAt } from './guards/free-space.ts';
import { repositoryPlace } from './guards/sending.ts';
import { measure } from './measure-repository.ts';
import type { Step } from './step.ts';

/**
 * Asked before every store and copy: may it begin, does it wait for the day's budget, or is there no room? Looks
 * at file systems and the catalogue; a repository is asked only when an estimate would close or open it.
 */
export function createGuardSteps(deployment: Deployment): Pick<HostActivities, 'guardUpload'> {
  return {
    guardUpload: (input) => {
      const asked = () =>
        runStep(
          {
            catalog: deployment.catalog,
            processes: deployment.processes,
            clock: deployment.clock,
            attempted: `${attemptOf(input)} was not begun`,
            key: `${input.jobId}.${input.asset}.guard ${input.repository}`,
            job: { id: input.jobId, asset: input.asset, step: 'guard' },
          },
          (step) => guardUpload(deployment, input, step),
        );
      const { point, repository: to } = input;
      return point === null ? asked() : failureNoted(deployment, { ...input, point, to }, asked);
    },
  };
}

async function guardUpload(deployment: Deployment, input: GuardInput, step: Step): Promise<GuardVerdict> {
  const configuration = await configurationOf(deployment, input.configuration);
  const asset = assetOf(configuration, input.asset);
  const configured = configuredRepository(configuration, input.repository);
  await guardWatermarks(deployment, input, asset, configuration, configured, step);

  const place = repositoryPlace(configuration, configured.name);
  const budget = configured.limits.dailyUpload ?? null;
  const expected = place || budget ? await expectedBytes(deployment, input, asset, step) : 0;
  if (input.step === 'store') {
    const staged = asset.type === 'sqlite' ? await deployment.sourceOf(asset).size(asset, step) : 0;
    const staging = { path: deployment.dataDir, code: 'staging.full', name: 'the data directory' } as const;
    await expectRoom(staging, staged, attemptOf(input));
  }
  if (place) await expectRoom(place, expected, attemptOf(input));

  if (!budget) return { goesOnAt: null };
  const send = { jobId: input.jobId, asset: asset.name, repository: configured.name };
  const decision = await deployment.catalog.uploads.reserve(send, { budget, expected }, deployment.clock());
  return { goesOnAt: decision.go ? null : decision.until };
}

async function guardWatermarks(
  deployment: Deployment,
  input: GuardInput,
  asset: Asset,
  configuration: Configuration,
  configured: Configured,
  step: Step,
): Promise<void> {
  const { catalog } = deployment;
  const marks = configured.headroom ?? null;
  const room = marks && (await roomOf(deployment, configuration, configured, step));
  if (!marks || !room) return;
  const before = (await catalog.rooms.find(configured.name))?.watermark ?? 'normal';
  const watermark = decideWatermark(before, room, marks);
  await catalog.rooms.note(configured.name, { ...room, watermark }, deployment.clock().toISOString());
  const { lowPercent } = marks;
  if (watermark !== before) step.say('warning', changeWords(configured.name, watermark, room, lowPercent));
  if (watermark === 'normal') return;

  const there = await catalog.points.newest(asset.name, { repository: configured.name });
  const admission = admissionOf(watermark, asset.class, there !== null);
  if (admission === 'blocked') throw blocked(input, asset, room, lowPercent, there !== null);
  const note = `${configured.name} is full, ${roomWords(room)}: taken all the same, as ${asset.name} is critical and has a point there`;
  await catalog.jobs.setAsset(input.jobId, asset.name, { notes: [note] });
  step.say('warning', note);
}

/** null: nothing is known yet, as nothing was stored there. */
async function roomOf(
  deployment: Deployment,
  configuration: Configuration,
  configured: Configured,
  step: Step,
): Promise<(Room & { freeBytes: number }) | null> {
  const capacity = configured.headroom?.capacityBytes ?? null;
  if (capacity === null) {
    const space = await spaceAt(configured.url);
    const usedBytes = space.totalBytes - space.freeBytes;
    return { usedBytes, capacityBytes: space.totalBytes, freeBytes: space.freeBytes };
  }
  const usedBytes = await storedBytes(deployment, configuration, configured, capacity, step);
  return { usedBytes, capacityBytes: capacity, freeBytes: Math.max(0, capacity - usedBytes) };
}

/** Asking a large repository takes minutes: while it is full, not at each send. A prune notes what it left. */
const MEASURED_AGAIN_MILLISECONDS = 3_600_000;

/**
 * What was sent adds up to too much after a prune, and misses what was there before it was counted: the repository
 * itself is asked, once, and then whenever the sum would keep it closed or close it.
 */
async function storedBytes(
  deployment: Deployment,
  configuration: Configuration,
  { name, headroom }: Configured,
  capacityBytes: number,
  step: Step,
): Promise<number> {
  const { rooms, repositories } = deployment.catalog;
  if (!(await repositories.find(name))?.initialisedAt) return 0;
  const now = deployment.clock();
  const { bytes, measuredAt } = await rooms.size(name, now.toISOString());
  const state = (await rooms.find(name))?.watermark ?? 'normal';
  const summed = headroom ? decideWatermark(state, { usedBytes: bytes, capacityBytes }, headroom) : state;
  const age = measuredAt === null ? Infinity : now.getTime() - Date.parse(measuredAt);
  if (summed === 'normal' ? measuredAt !== null : age < MEASURED_AGAIN_MILLISECONDS) return bytes;
  const repository = await deployment.openRepository(configuration, name);
  return measure(deployment, repository, step);
}

/** What the last ones sent; at the first, the point that is copied, a point elsewhere, or the asset itself. */
async function expectedBytes(
  deployment: Deployment,
  { asset: name, repository, point }: GuardInput,
  asset: Asset,
  step: Step,
): Promise<number> {
  const { catalog } = deployment;
  const typical = await catalog.uploads.expected(name, repository);
  if (typical !== null) return typical;
  if (point !== null) return (await catalog.points.find(point)).bytes;
  const elsewhere = await catalog.points.newest(name);
  return elsewhere?.bytes ?? deployment.sourceOf(asset).size(asset, step);
}

function configuredRepository({ repositories }: Configuration, name: string): Configured {
  const found = repositories.find((one) => one.name === name);
  if (found) return found;
  throw new HoldfastError({
    code: 'notFound',
    message: `repository ${name} is not in the configuration`,
    cause: `it has ${repositories.map((one) => one.name).join(', ') || 'none'}`,
    hint: 'check the name, or add it to the configuration and run `holdfast apply`',
  });
}

function changeWords(name: string, watermark: Watermark, room: Room, lowPercent: number): string {
  return watermark === 'high'
    ? `${name} has reached its high watermark: ${roomWords(room)}; until it is below ${lowPercent} % it takes only critical assets that have a point there`
    : `${name} is below its low watermark again: ${roomWords(room)}; it takes everything`;
}

function blocked(
  input: GuardInput,
  { name, class: dataClass }: Asset,
  room: Room,
  lowPercent: number,
  there: boolean,
): HoldfastError {
  const why = there ? `${name} is of class ${dataClass}, not critical` : `${name} has no point there yet`;
  return new HoldfastError({
    code: 'repository.full',
    message: `${attemptOf(input)} was not begun: ${input.repository} is above its high watermark`,
    cause: `${roomWords(room)}; ${why}`,
    hint: `let retention drop points, free space or raise the capacity until it is below ${lowPercent} %; what is stored stays readable`,
  });
}

function attemptOf({ step, asset, repository }: GuardInput): string {
  return step === 'store' ? `backup of ${asset} to ${repository}` : `copy of ${asset} to ${repository}`;
}
