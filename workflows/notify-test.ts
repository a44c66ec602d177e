import type { ChannelTest } from '../activities/contract.ts';
import type { NotifyTestInput } from './messages.ts';
import { notifySteps } from './steps.ts';

/** Sends a test message through the channels. A workflow, because only a worker resolves their secrets. */
export async function notifyTest(input: NotifyTestInput): Promise<ChannelTest[]> {
  return notifySteps(input.channel ?? 'every channel').testChannels(input);
}
