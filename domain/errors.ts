// Every failure Holdfast knows by name, and the one error class that carries it. The code decides whether
// a retry can help and how the command line exits; message, cause and hint are for the reader.

interface FailureKind {
  /** A later attempt of the same step can succeed without anybody changing anything. */
  readonly retryable: boolean;
  readonly exitCode: number;
}

const once = (exitCode: number): FailureKind => ({ retryable: false, exitCode });
const again = (exitCode: number): FailureKind => ({ retryable: true, exitCode });

/** Codes are part of the contract (`error.code` in JSON, the failure type in Temporal): never reuse one. */
const failures = {
  usage: once(2),
  'configuration.invalid': once(2),
  'secret.unresolved': once(1),

  'repository.absent': once(10),
  'repository.locked': again(11),
  'repository.wrongPassword': once(12),
  'repository.full': once(1),
  'repository.unreachable': again(1),
  'repository.forbidden': once(1),
  /** Who we say we are is not believed: the credentials are wrong, have expired or were changed. */
  'repository.credentialsRefused': once(1),
  /** It takes what is new, and lets us take nothing away. */
  'repository.appendOnly': once(1),
  /** Its host's key is not the one that is known, or its encryption is not on. */
  'repository.untrusted': once(1),
  'repository.damaged': once(20),
  'proof.failed': once(20),
  'objective.breached': once(21),

  'source.missing': once(1),
  'source.unreadable': once(1),
  'source.partial': once(1),
  'source.empty': once(1),
  'source.invalid': once(1),
  'source.unreachable': again(1),
  'source.wrongPassword': once(1),
  'source.forbidden': once(1),
  'source.versionTooNew': once(1),

  'tool.missing': once(1),
  'tool.failed': again(1),
  'tool.stalled': again(1),
  'staging.full': once(1),

  'target.notEmpty': once(1),
  'target.readOnly': once(1),
  'target.tooSmall': once(1),
  'target.inUse': once(1),
  'restore.state': once(11),
  'health.failed': once(1),
  'hook.failed': once(1),

  'point.unknown': once(1),
  notFound: once(1),
  'request.conflict': once(11),
  'confirmation.missing': once(22),
  unauthorized: once(1),
  forbidden: once(1),
  rateLimited: again(1),

  /** A notification channel that may take the message later; not this message; or none until it is set right. */
  'channel.unreachable': again(1),
  'channel.refused': once(1),
  'channel.misconfigured': once(1),

  'catalog.newer': once(1),
  'catalog.unreachable': again(1),
  'service.unreachable': again(1),
  'service.failed': once(1),
  'clock.untrusted': once(22),
  /** A plan so unlike those before it that a person has to look: nothing of it was done. */
  'retention.dropsTooMuch': once(22),
  /** The catalogue and a repository do not know the same snapshots. */
  'repository.disagrees': once(22),
  /** A newer holder of the lease, or a newer attempt of the activity, has taken over: write nothing more. */
  fenced: once(11),
  cancelled: once(130),
  /** Nobody foresaw it. Not retried: the same input would meet the same bug. */
  internal: once(1),
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failures;

/** The shape of an error anywhere on the black-box surface: API, `--json`, job events. */
export interface ErrorContract {
  code: FailureCode;
  message: string;
  cause: string;
  hint: string;
}

export interface HoldfastErrorInput {
  code: FailureCode;
  /** Lower case, says what was attempted on what: "backup of orders failed in snapshot". */
  message: string;
  /** The tool's own words, or what was seen. Never a secret. */
  cause?: string;
  /** A sentence the reader can follow. */
  hint: string;
  /** Only where this one occurrence differs from its code. */
  retryable?: boolean;
}

export class HoldfastError extends Error {
  readonly code: FailureCode;
  override readonly cause: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(input: HoldfastErrorInput) {
    super(input.message);
    this.name = 'HoldfastError';
    this.code = input.code;
    this.cause = input.cause ?? '';
    this.hint = input.hint;
    this.retryable = input.retryable ?? failures[input.code].retryable;
  }

  get exitCode(): number {
    return failures[this.code].exitCode;
  }

  toContract(): ErrorContract {
    return { code: this.code, message: this.message, cause: this.cause, hint: this.hint };
  }
}

/** In the order of the list above. */
export const failureCodes = Object.keys(failures) as FailureCode[];

/** For `nonRetryableErrorTypes` beside `proxyActivities`, where a failure's type is its code. */
export const nonRetryableCodes: FailureCode[] = failureCodes.filter((code) => !failures[code].retryable);

export function isFailureCode(text: unknown): text is FailureCode {
  return typeof text === 'string' && Object.hasOwn(failures, text);
}

export function isRetryable(code: FailureCode): boolean {
  return failures[code].retryable;
}

export function exitCodeOf(code: FailureCode): number {
  return failures[code].exitCode;
}

/** Whatever was thrown, as a HoldfastError: itself if it is one, else `internal` with its own words as cause. */
export function asHoldfastError(thrown: unknown, attempted = 'an unforeseen failure'): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  return new HoldfastError({
    code: 'internal',
    message: attempted,
    cause: wordsOf(thrown),
    hint: 'this is a fault in Holdfast: please report it with the lines above and `holdfast doctor --json`',
  });
}

/** What a thrown thing says of itself; `code` first for Node's system errors, whose message may omit it. */
export function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const inner = thrown instanceof AggregateError ? thrown.errors.map(wordsOf).join('; ') : '';
  return thrown.message || inner || thrown.name;
}

/**
 * The layout a person reads:
 *
 *     error: backup of app-db failed in snapshot
 *       cause: sqlite3 said: "unable to open database file"
 *       next:  grant backup read access
 *
 * `trailer` lines (the job, where to look) follow, indented alike.
 */
export function formatError(
  error: Pick<ErrorContract, 'message' | 'cause' | 'hint'>,
  trailer: string[] = [],
): string {
  const lines = [`error: ${indented(error.message, 7)}`];
  if (error.cause) lines.push(`  cause: ${indented(error.cause, 9)}`);
  if (error.hint) lines.push(`  next:  ${indented(error.hint, 9)}`);
  return [...lines, ...trailer.map((line) => `  ${line}`)].join('\n');
}

function indented(text: string, columns: number): string {
  return text.trimEnd().replaceAll('\n', '\n' + ' '.repeat(columns));
}
