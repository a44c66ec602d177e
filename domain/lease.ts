// Who may work in a repository: any number of readers and writers side by side (`shared`), or one that takes
// away (`exclusive`), alone. First come, first served: an exclusive request holds up every later one, except what is
// urgent, and that only as long as it has to wait for somebody who came before it anyway.

export type LeaseMode = 'shared' | 'exclusive';

export interface LeaseRequest {
  /** Names the request; the same one asked again changes nothing. */
  key: string;
  /** Id of the workflow that asks. */
  holder: string;
  mode: LeaseMode;
  /** Shared with those who are there, it need not wait behind those who wait to be alone. */
  urgent?: boolean;
}

export interface LeaseGrant extends LeaseRequest {
  /** Higher than that of every grant before it: what comes with a lower one comes too late. */
  fence: number;
  /** Milliseconds since 1970: when it was granted, or last found in use. */
  since: number;
  /** Keys of the exclusive requests that it went ahead of; they do not wait for it alone. */
  passed?: readonly string[];
}

export interface LeaseState {
  held: readonly LeaseGrant[];
  /** In the order they asked. */
  waiting: readonly LeaseRequest[];
  lastFence: number;
}

export const nobody: LeaseState = { held: [], waiting: [], lastFence: 0 };

export function asked(state: LeaseState, request: LeaseRequest): LeaseState {
  const known = [...state.held, ...state.waiting].some(({ key }) => key === request.key);
  return known ? state : { ...state, waiting: [...state.waiting, request] };
}

/** The one whose turn it is, if nobody is in its way. */
export function nextInTurn(state: LeaseState): LeaseRequest | null {
  const { held, waiting } = state;
  const first = waiting[0];
  if (!first) return null;
  const isShared = held.every(({ mode }) => mode === 'shared');
  if (first.mode === 'exclusive' ? held.length === 0 : isShared) return first;
  return (isShared && waiting.find((request) => mayPass(state, request))) || null;
}

/**
 * What is urgent goes ahead of an exclusive request while somebody is there who did not: when those who came before
 * that request have gone, nobody passes it any more, and it waits only for the urgent ones that are left.
 */
function mayPass(state: LeaseState, { key, mode, urgent }: LeaseRequest): boolean {
  if (!urgent || mode !== 'shared') return false;
  return exclusivesBefore(state, key).every((one) => state.held.some(({ passed }) => !passed?.includes(one)));
}

function exclusivesBefore({ waiting }: LeaseState, key: string): string[] {
  const before = waiting.slice(
    0,
    waiting.findIndex((request) => request.key === key),
  );
  return before.filter(({ mode }) => mode === 'exclusive').map((request) => request.key);
}

/** Nothing changes unless it is this request's turn: it may have been taken back meanwhile. */
export function granted(state: LeaseState, key: string, fence: number, now: number): LeaseState {
  const next = nextInTurn(state);
  if (next?.key !== key) return state;
  // A number that protects from nobody: the request is dropped, and whoever still wants it asks again.
  if (fence <= state.lastFence) return released(state, key);
  const passed = exclusivesBefore(state, key);
  return {
    held: [...state.held, { ...next, fence, since: now, ...(passed.length > 0 && { passed }) }],
    waiting: state.waiting.filter((request) => request.key !== key),
    lastFence: fence,
  };
}

/** Given back, or not wanted any more. */
export function released(state: LeaseState, key: string): LeaseState {
  return {
    ...state,
    held: state.held.filter((grant) => grant.key !== key),
    waiting: state.waiting.filter((request) => request.key !== key),
  };
}

/** The holders that a waiting request waits for, and those that are before it. */
export function inTheWayOf({ held, waiting }: LeaseState, key: string): string[] {
  const place = waiting.findIndex((request) => request.key === key);
  if (place === -1) return [];
  return [...held, ...waiting.slice(0, place)].map(({ holder }) => holder);
}

/** Grants that nobody has been seen to use for so long. */
export function overdue({ held }: LeaseState, limitMilliseconds: number, now: number): LeaseGrant[] {
  return held.filter(({ since }) => now - since >= limitMilliseconds);
}

export function renewed(state: LeaseState, key: string, now: number): LeaseState {
  return {
    ...state,
    held: state.held.map((grant) => (grant.key === key ? { ...grant, since: now } : grant)),
  };
}

/** Shown with everything that takes something away from a repository. */
export interface RepositoryFence {
  repository: string;
  fence: number;
}

/** The numbers given last in a repository: to anybody, and to somebody who was to be alone there. */
export interface LastFences {
  fence: number;
  exclusive: number;
}

/**
 * Whether under this number something may still be taken away. Who shares loses that when somebody was alone there
 * since; who was alone, when anybody came since.
 */
export function stillCounts(fence: number, last: LastFences): boolean {
  if (fence === last.exclusive) return fence === last.fence;
  return fence > last.exclusive && fence <= last.fence;
}
