import type { WriteKit } from '../activities/contract.ts';
import { controlSteps, kitSteps } from './steps.ts';

/** Writes the recovery kit. A workflow, because only the host resolves the secrets in it; it answers without any. */
export async function exportKit(input: WriteKit): ReturnType<ReturnType<typeof kitSteps>['writeKit']> {
  const hostQueue = await controlSteps('recovery kit').hostOf();
  return kitSteps(hostQueue, input.asked ? `asked for by ${input.actor}` : 'it was outdated').writeKit(input);
}
