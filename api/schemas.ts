// The words every route shares. Answers go through these schemas, so nothing leaves that is not listed.

import { z } from 'zod';
import { failureCodes } from '../domain/errors.ts';
import type { ErrorContract, FailureCode } from '../domain/errors.ts';
import type { Failure } from '../domain/job.ts';
import type { PageRequest } from './services.ts';

/** RFC 3339. */
export const time = z.string();
export const name = z.string().min(1).max(200);
export const id = z.string().min(1).max(200);

export const failure = z.object({
  code: z.string(),
  message: z.string(),
  cause: z.string(),
  hint: z.string(),
}) satisfies z.ZodType<Failure>;

export const errorContract = z
  .object({
    code: z.enum(failureCodes as [FailureCode, ...FailureCode[]]),
    message: z.string(),
    cause: z.string(),
    hint: z.string(),
  })
  .describe(
    'What was attempted on what, the cause as seen, and what to do next',
  ) satisfies z.ZodType<ErrorContract>;

export const proof = z.enum(['stored', 'verified', 'proven', 'damaged']);
export const health = z.enum(['ok', 'warning', 'critical', 'unknown']);

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(500).optional(),
};

export function pageOf(query: { limit: number; cursor?: string | undefined }): PageRequest {
  return { limit: query.limit, cursor: query.cursor ?? null };
}

export function list<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().describe('cursor of the next page; null: that was all'),
  });
}

/** A list that is never long enough for pages. */
export function listOf<Item>(items: Item[]): { items: Item[]; next: null } {
  return { items, next: null };
}
