// How often and where the control plane stores itself, as written → as used.

import type { z } from 'zod';
import * as value from './schema-values.ts';
import type { ControlPlane } from './types.ts';

export const controlPlane = value.keys('where the control plane is stored', {
  every: value.duration.optional(),
  repositories: value.list(value.name, 'a list of repositories', '[offsite]').optional(),
});

/** So much of the catalogue is lost with a host at the worst; an idle service stores nothing anew. */
export const DEFAULT_CONTROL_PLANE_SECONDS = 3_600;

export function normaliseControlPlane(written: z.output<typeof controlPlane>): ControlPlane {
  return {
    everySeconds: written.every ?? DEFAULT_CONTROL_PLANE_SECONDS,
    repositories: written.repositories ?? null,
  };
}
