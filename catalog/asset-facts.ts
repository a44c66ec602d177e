// What an asset is judged by, put together from its row: the same for whoever asks, a person or the watch.

import type { Policy } from '../domain/configuration/types.ts';
import type { AssetFacts } from '../domain/objectives.ts';
import type { ErrorBudget } from '../domain/objectives/error-budget.ts';
import type { AssetState } from './status.ts';

/** `nextRunAt` null: nothing is due, or it does not matter to whoever asks. */
export function assetFacts(
  state: AssetState,
  policy: Policy | null,
  { errorBudget, nextRunAt }: { errorBudget: ErrorBudget | null; nextRunAt: string | null },
): AssetFacts {
  return {
    asset: state.asset,
    policy,
    newest: { stored: state.newest, verified: state.newestVerified, proven: state.newestProven },
    damagedNewest: state.damagedNewest,
    damagedCopies: state.damagedCopies,
    lastProvenAt: state.lastProvenAt,
    lastJob: state.lastJob,
    measuredSeconds: state.measuredSeconds,
    nextRunAt,
    errorBudget,
  };
}
