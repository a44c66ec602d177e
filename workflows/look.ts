import type { PointFile } from '../activities/contract.ts';
import type { LookInput } from './messages.ts';
import { controlSteps, quickSteps } from './steps.ts';

/** Lists one folder inside a recovery point. A workflow, because only the host reaches the repository. */
export async function look(input: LookInput): Promise<PointFile[]> {
  const hostQueue = await controlSteps(input.point).hostOf();
  return quickSteps(hostQueue, `${input.point} ${input.path}`).listFiles(input);
}
