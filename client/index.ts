export { connect, TASK_QUEUE, type TemporalAddress } from './connection.ts';
export {
  cancelJob,
  jobWorkflowId,
  startBackup,
  startRetention,
  startVerification,
  workflowState,
} from './jobs.ts';
export { requestLease } from './leases.ts';
export { adoptSnapshots, lookInside } from './looks.ts';
export { cancelRestore, commitRestore, restoreWorkflowId, startRestore } from './restores.ts';
