export { asking, connect, TASK_QUEUE, type TemporalAddress } from './connection.ts';
export { controlPlaneWorkflowId, startControlPlaneBackup } from './control-plane.ts';
export { exportHistory } from './histories.ts';
export {
  cancelJob,
  isCadenceRun,
  jobWorkflowId,
  startBackup,
  startCadenceRun,
  startDrill,
  startGameDay,
  startRetention,
  startSync,
  startVerification,
  workflowState,
} from './jobs.ts';
export { requestLease } from './leases.ts';
export { adoptSnapshots, exportKit, lookInside, testChannels } from './looks.ts';
export { removalWorkflowId, removePoint, startRemoval } from './removals.ts';
export { cancelRestore, commitRestore, restoreWorkflowId, startRestore } from './restores.ts';
