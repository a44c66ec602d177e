import type { AdoptInput } from './messages.ts';
import { controlSteps, longSteps } from './steps.ts';

/**
 * Makes snapshots that Holdfast did not take, or that its catalogue does not know any more, into recovery points of
 * an asset. The repository is only read: its snapshots stay as they are.
 */
export async function adopt(input: AdoptInput): Promise<string[]> {
  const hostQueue = await controlSteps(input.repository).hostOf();
  return longSteps(hostQueue, `${input.asset} from ${input.repository}`).adoptSnapshots(input);
}
