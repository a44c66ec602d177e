export { connect, TASK_QUEUE, type TemporalAddress } from './connection.ts';
export { cancelJob, jobWorkflowId, startBackup, startVerification, workflowState } from './jobs.ts';
export { adoptSnapshots, lookInside, testChannels } from './looks.ts';
export { cancelRestore, commitRestore, restoreWorkflowId, startRestore } from './restores.ts';
