// What is kept of the control plane's own recovery points in a repository: by a rule of its own, whatever the
// policies there say. The newest one always is.

import type { Retention } from '../configuration/types.ts';
import { planRetention, type Decision, type RetainedPoint } from '../retention/plan.ts';

export function planControlPlaneRetention(request: {
  points: readonly RetainedPoint[];
  immutableDays: number | null;
  now: Date;
}): Decision[] {
  // The rules of the planner are for regular points: these are the only ones of their asset.
  const points = request.points.map((point): RetainedPoint => ({ ...point, kind: 'regular' }));
  return planRetention({ ...request, points, rules: KEPT });
}

const KEPT: Retention = {
  keepLast: 3,
  keepHourly: 24,
  keepDaily: 30,
  keepWeekly: null,
  keepMonthly: 12,
  keepYearly: null,
  keepWithinSeconds: null,
  keepWithinHourlySeconds: null,
  keepWithinDailySeconds: null,
  keepWithinWeeklySeconds: null,
  keepWithinMonthlySeconds: null,
  keepWithinYearlySeconds: null,
};
