// Into how many groups what a repository holds is divided, so that one of them is read in each run.

/** restic's own limit on `--read-data-subset=n/t`. */
export const MOST_GROUPS = 256;

/** As many as make one group no more than this share of the whole. Rounding errors make no further group. */
export function groupsFor(share: number): number {
  return Math.max(1, Math.ceil(1 / share - 1e-9));
}

/** As few as let runs that read one each read everything in time, with two runs to spare for those that fail. */
export function groupsNeeded(everySeconds: number, withinSeconds: number): number {
  return Math.min(MOST_GROUPS, Math.max(1, Math.floor(withinSeconds / everySeconds) - 2));
}
