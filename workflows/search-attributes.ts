import { defineSearchAttributeKey } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { JobStatus, JobType } from '../domain/job.ts';
import type { RestoreStatus } from '../domain/restore.ts';

// `HoldfastPolicy="critical" and HoldfastStatus="failed"` in Temporal's own UI and CLI. Search attributes
// are never encrypted: names and statuses only.

export const holdfastPolicy = defineSearchAttributeKey('HoldfastPolicy', 'KEYWORD');
export const holdfastAsset = defineSearchAttributeKey('HoldfastAsset', 'KEYWORD_LIST');
export const holdfastJob = defineSearchAttributeKey('HoldfastJob', 'KEYWORD');
export const holdfastStatus = defineSearchAttributeKey('HoldfastStatus', 'KEYWORD');

export function labelJob(type: JobType, policy: string, assets: string[], status: JobStatus): void {
  upsertSearchAttributes([
    { key: holdfastJob, value: type },
    { key: holdfastPolicy, value: policy },
    { key: holdfastAsset, value: assets },
    { key: holdfastStatus, value: status },
  ]);
}

/** Of no policy, and of no asset that is configured. */
export function labelControlPlane(status: JobStatus): void {
  upsertSearchAttributes([
    { key: holdfastJob, value: 'controlPlane' },
    { key: holdfastStatus, value: status },
  ]);
}

export function labelRestore(asset: string, status: RestoreStatus): void {
  upsertSearchAttributes([
    { key: holdfastJob, value: 'restore' },
    { key: holdfastAsset, value: [asset] },
    { key: holdfastStatus, value: status },
  ]);
}

export function labelDrill(assets: string[], status: JobStatus): void {
  upsertSearchAttributes([
    { key: holdfastJob, value: 'drill' },
    { key: holdfastAsset, value: assets },
    { key: holdfastStatus, value: status },
  ]);
}
