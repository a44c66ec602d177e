import {
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  asked,
  granted,
  inTheWayOf,
  nextInTurn,
  nobody,
  overdue,
  released,
  renewed,
  type LeaseRequest,
  type LeaseState,
} from '../domain/lease.ts';
import {
  askForLease,
  giveLeaseBack,
  leaseAwaited,
  leaseGranted,
  leaseHolders,
  type LeaseInput,
} from './messages.ts';
import { controlSteps, failureOf } from './steps.ts';

/** After so long a holder is asked after: if its workflow is gone, its lease is as well. */
const LIMIT_MILLISECONDS = 15 * 60_000;
/** With nobody there it ends, and begins anew when somebody asks. */
const IDLE_MILLISECONDS = 10 * 60_000;

/**
 * The queue for one repository. Those who ask are told when it is their turn, in the order they asked; a
 * holder that was ended without giving its lease back is found out and holds nobody up for ever.
 */
export async function lease({ repository, state: before }: LeaseInput): Promise<void> {
  let state: LeaseState = before ?? nobody;
  /** Who asked since, or again: they have to be told how it stands. */
  let untold: string[] = [];
  setHandler(leaseHolders, () => state);
  setHandler(askForLease, (request) => {
    state = asked(state, request);
    untold.push(request.key);
  });
  setHandler(giveLeaseBack, ({ key }) => {
    state = released(state, key);
  });

  const control = controlSteps(repository);
  const tell = async (key: string, send: () => Promise<void>) => {
    try {
      await send();
    } catch (error) {
      // Nobody is there any more who could use it.
      failureOf(error);
      state = released(state, key);
    }
  };
  const tellHowItStands = async (key: string) => {
    const grant = state.held.find((one) => one.key === key);
    const request = state.waiting.find((one) => one.key === key);
    if (grant) await tell(key, () => signalGranted(repository, grant));
    if (!request) return;
    const behind = inTheWayOf(state, key);
    const waits = () =>
      getExternalWorkflowHandle(request.holder).signal(leaseAwaited, { repository, key, behind });
    await tell(key, waits);
  };
  const grant = async (request: LeaseRequest) => {
    const fence = await control.recordLease({ ...request, repository, after: state.lastFence });
    state = granted(state, request.key, fence, Date.now());
    const held = state.held.find(({ key }) => key === request.key);
    if (held) await tell(held.key, () => signalGranted(repository, held));
  };
  const lookAfterHolders = async () => {
    for (const held of overdue(state, LIMIT_MILLISECONDS, Date.now())) {
      if (await control.leaseHolderRuns(held.holder)) {
        state = renewed(state, held.key, Date.now());
      } else {
        await control.leaseWithdrawn({ ...held, repository });
        state = released(state, held.key);
      }
    }
  };

  for (;;) {
    for (let next = nextInTurn(state); next; next = nextInTurn(state)) {
      const { key } = next;
      untold = untold.filter((one) => one !== key);
      await grant(next);
    }
    const toTell = untold;
    untold = [];
    for (const key of toTell) await tellHowItStands(key);
    if (nextInTurn(state) || untold.length > 0) continue;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof lease>({ repository, state });
    const first = Math.min(...state.held.map(({ since }) => since));
    const idle = state.held.length === 0;
    const wait = idle ? IDLE_MILLISECONDS : Math.max(1000, first + LIMIT_MILLISECONDS - Date.now());
    if (await condition(() => nextInTurn(state) !== null || untold.length > 0, wait)) continue;
    if (state.held.length > 0) await lookAfterHolders();
    else if (idle) return;
  }
}

async function signalGranted(repository: string, grant: LeaseRequest & { fence: number }): Promise<void> {
  const { holder, key, fence } = grant;
  await getExternalWorkflowHandle(holder).signal(leaseGranted, { repository, key, fence });
}
