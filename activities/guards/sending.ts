// A store or a copy as the guards see it: what it sends is counted, whatever becomes of it, and it is stopped
// while there is still room to clear up.

import type { UploadAttempt } from '../../catalog/uploads.ts';
import type { Configuration } from '../../domain/configuration/types.ts';
import { isLocalRepository } from '../../domain/configuration/repository-url.ts';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import { sentByInterrupted } from '../../domain/guards/sent.ts';
import type { Progress } from '../../domain/job.ts';
import type { Deployment } from '../deployment.ts';
import type { Recovered, Repository } from '../repositories/repository.ts';
import { clearingUp, type Step } from '../step.ts';
import { whileThereIsRoom, type Place } from './free-space.ts';

export interface Sending {
  configuration: Configuration;
  repository: Repository;
  upload: Omit<UploadAttempt, 'repository'>;
  /** What was found of an earlier attempt; null: nobody has looked. */
  found: Recovered | null;
}

/** `sentBytes`: from the work's result and its last progress. */
export async function send<T>(
  deployment: Deployment,
  sending: Sending,
  step: Step,
  work: (step: Step) => Promise<T>,
  sentBytes: (result: T, last: Progress | null) => number,
): Promise<T> {
  const { uploads } = deployment.catalog;
  const upload = { ...sending.upload, repository: sending.repository.name };
  await countInterrupted(deployment, sending, upload);
  const startedAt = now(deployment);
  await uploads.begin(upload, startedAt);
  let last: Progress | null = null;
  const watched: Step = {
    ...step,
    progress: (progress) => {
      if (SENDING.includes(progress.phase)) last = progress;
      step.progress(progress);
    },
  };
  try {
    const result = await whileThereIsRoom(placesOf(sending), watched, attemptOf(upload), work);
    await uploads.end(upload, { bytes: sentBytes(result, last), measured: 'sent', at: now(deployment) });
    return result;
  } catch (error) {
    const found = isFull(error) ? await clearAfterFull(sending.repository, step) : null;
    const endedAt = now(deployment);
    const bytes = await estimate(deployment, sending, upload, { found, last, startedAt, endedAt });
    const measured = found === null ? 'estimated' : 'found';
    await uploads.end(upload, { bytes, measured, at: endedAt });
    throw error;
  }
}

/** Phases of restic's progress in which it sends. */
const SENDING = ['storing', 'copying packs'];

/** Only the last attempt can have left what was found; of those before it, nobody will know more. */
async function countInterrupted(
  deployment: Deployment,
  { configuration, found }: Sending,
  upload: UploadAttempt,
): Promise<void> {
  const { uploads } = deployment.catalog;
  const unfinished = await uploads.unfinished(upload);
  for (const [index, attempt] of unfinished.entries()) {
    const isLast = index === unfinished.length - 1;
    const endedAt = attempt.endedAt ?? now(deployment);
    if (attempt.endedAt !== null && !(isLast && found)) continue;
    const bytes = sentByInterrupted({
      foundBytes: isLast && found ? found.bytes : null,
      progressBytes: attempt.progressBytes,
      seconds: secondsBetween(attempt.startedAt, endedAt),
      expectedBytes: await uploads.expected(upload.asset, upload.repository),
      uploadBytesPerSecond: limitOf(configuration, upload.repository),
    });
    const measured = isLast && found ? 'found' : 'estimated';
    await uploads.end({ ...upload, attempt: attempt.attempt }, { bytes, measured, at: endedAt });
  }
}

async function estimate(
  deployment: Deployment,
  { configuration }: Sending,
  upload: UploadAttempt,
  seen: { found: Recovered | null; last: Progress | null; startedAt: string; endedAt: string },
): Promise<number> {
  return sentByInterrupted({
    foundBytes: seen.found?.bytes ?? null,
    progressBytes: seen.last?.bytesDone ?? 0,
    seconds: secondsBetween(seen.startedAt, seen.endedAt),
    expectedBytes: await deployment.catalog.uploads.expected(upload.asset, upload.repository),
    uploadBytesPerSecond: limitOf(configuration, upload.repository),
  });
}

/** What was already there is kept for the next run; half-written files take up the room that is missing. */
async function clearAfterFull(repository: Repository, step: Step): Promise<Recovered | null> {
  try {
    return await repository.recover(clearingUp(step));
  } catch (error) {
    const words = error instanceof HoldfastError ? `${error.message}: ${error.cause}` : wordsOf(error);
    step.say('warning', `${repository.name} could not be cleared up yet: ${words}`);
    return null;
  }
}

function placesOf({ configuration, repository, upload }: Sending): Place[] {
  const places: Place[] = [{ path: configuration.dataDir, code: 'staging.full', name: 'the data directory' }];
  const place = repositoryPlace(configuration, repository.name);
  if (place) places.push(place);
  return upload.step === 'store' ? places : places.slice(1);
}

/** null: not on a file system of this host. */
export function repositoryPlace(configuration: Configuration, name: string): Place | null {
  const url = configuration.repositories.find((one) => one.name === name)?.url;
  if (url === undefined || !isLocalRepository(url)) return null;
  return { path: url, code: 'repository.full', name: `repository ${name}` };
}

function attemptOf({ step, asset, repository }: UploadAttempt): string {
  return step === 'store' ? `backup of ${asset} to ${repository}` : `copy of ${asset} to ${repository}`;
}

function isFull(error: unknown): boolean {
  return error instanceof HoldfastError && ['repository.full', 'staging.full'].includes(error.code);
}

function limitOf(configuration: Configuration, name: string): number | null {
  return configuration.repositories.find((one) => one.name === name)?.limits.uploadBytesPerSecond ?? null;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

function now(deployment: Deployment): string {
  return deployment.clock().toISOString();
}
