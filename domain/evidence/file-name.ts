// One name for each piece of evidence, so that a folder shows them in order and none can pass for another.

import type { Statement } from './statement.ts';

/** Without its ending: `000004-quarterly-2026-11-21`. */
export function evidenceName({ predicate }: Statement): string {
  const { sequence, record } = predicate;
  const drill = record.drill.name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 60);
  return `${String(sequence).padStart(6, '0')}-${drill}-${record.endedAt.slice(0, 10)}`;
}

/** Whether a file of this name claims to be evidence or its rendering. */
export function isEvidenceName(name: string): boolean {
  return /^\d{6,}-[A-Za-z0-9_-]*-\d{4}-\d\d-\d\d\.(json|md|html)$/.test(name);
}
