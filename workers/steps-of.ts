import { createBackupSteps } from '../activities/backup-steps.ts';
import type {
  ControlActivities,
  EvidenceActivities,
  HostActivities,
  KitActivities,
  NotifyActivities,
} from '../activities/contract.ts';
import { createControlSteps } from '../activities/control-steps.ts';
import type { Deployment } from '../activities/deployment.ts';
import { createControlPlaneSteps } from '../activities/control-plane/store.ts';
import { createDrillSteps } from '../activities/drills/drill-steps.ts';
import { createGameDaySteps } from '../activities/drills/game-day-steps.ts';
import { createEvidenceSteps } from '../activities/drills/evidence-steps.ts';
import { createGuardSteps } from '../activities/guard-steps.ts';
import { createKitSteps } from '../activities/kit/kit-steps.ts';
import { createLookSteps } from '../activities/look-steps.ts';
import { createNotifySteps } from '../activities/notify-steps.ts';
import { createProofSteps } from '../activities/proof-steps.ts';
import { createReadingSteps } from '../activities/reading-steps.ts';
import { createDamagedCopySteps } from '../activities/clear-damaged.ts';
import { createRemovalSteps } from '../activities/removal-steps.ts';
import { createRestoreSteps } from '../activities/restore-steps.ts';
import { createRetentionSteps } from '../activities/retention-steps.ts';

/** Every step of one deployment, by the queue it is asked for on: the common one, and this host's own. */
export function stepsOf(deployment: Deployment): {
  control: ControlActivities & NotifyActivities;
  host: HostActivities & EvidenceActivities & KitActivities;
} {
  return {
    control: { ...createControlSteps(deployment), ...createNotifySteps(deployment) },
    host: {
      ...createBackupSteps(deployment),
      ...createGuardSteps(deployment),
      ...createProofSteps(deployment),
      ...createReadingSteps(deployment),
      ...createRestoreSteps(deployment),
      ...createRetentionSteps(deployment),
      ...createLookSteps(deployment),
      ...createRemovalSteps(deployment),
      ...createDamagedCopySteps(deployment),
      ...createControlPlaneSteps(deployment),
      ...createDrillSteps(deployment),
      ...createGameDaySteps(deployment),
      ...createEvidenceSteps(deployment),
      ...createKitSteps(deployment),
    },
  };
}
