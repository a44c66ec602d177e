// That a person who answers for it signed a drill's evidence off: once, beside the evidence, which stays as it is.

import { HoldfastError } from '../domain/errors.ts';
import type { Transaction } from './database.ts';

export interface Approval {
  by: string;
  at: string;
  note: string;
}

/** By the evidence's number, as a column; null: nobody has. */
export function approvalOf(sequence: string): string {
  return `(select jsonb_build_object('by', approved_by, 'note', note,
      'at', to_char(approved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from evidence_approvals where evidence_approvals.sequence = ${sequence}) as approval`;
}

/** The same person twice is once; `request.conflict` when somebody else did before. */
export async function approve(
  { query, audit, at }: Transaction,
  actor: string,
  evidence: { sequence: number; drillId: string; digest: string },
  note: string,
): Promise<void> {
  const { sequence, drillId, digest } = evidence;
  const added = await query(
    `insert into evidence_approvals (sequence, approved_by, approved_at, note) values ($1, $2, $3, $4)
     on conflict do nothing returning sequence`,
    [sequence, actor, at, note],
  );
  if (added.length > 0) {
    const details = { sequence, digest, note };
    audit({ action: 'evidence.approved', subject: `drill/${drillId}`, details });
    return;
  }
  const [before] = await query<{ by: string }>(
    'select approved_by as by from evidence_approvals where sequence = $1',
    [sequence],
  );
  if (before?.by === actor) return;
  throw new HoldfastError({
    code: 'request.conflict',
    message: `evidence ${sequence} was not signed off`,
    cause: `${before?.by ?? 'somebody else'} signed it off before`,
    hint: `\`holdfast drill show ${drillId.slice(0, 8)}\` shows who and when`,
  });
}
