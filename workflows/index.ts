// What the worker runs; the name of each function is its workflow type in Temporal.
export { adopt } from './adopt.ts';
export { backup } from './backup.ts';
export { backupControlPlane } from './control-plane.ts';
export { drill } from './drill.ts';
export { gameDay } from './game-day.ts';
export { exportKit } from './export-kit.ts';
export { lease } from './lease.ts';
export { look } from './look.ts';
export { removePoint } from './remove-point.ts';
export { notifyTest } from './notify-test.ts';
export { restore } from './restore.ts';
export { retention } from './retention.ts';
export { sync } from './sync.ts';
export { verify } from './verify.ts';
export { verifyCadence } from './verify-cadence.ts';
