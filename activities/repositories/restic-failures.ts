// What restic's exit codes and words mean. Pure: from what was seen to a failure with its cause and a way out.

import { HoldfastError, type FailureCode } from '../../domain/errors.ts';

export interface Seen {
  /** "backup of orders". */
  operation: string;
  repository: string;
  /** Its location, without secrets. */
  url: string;
  exitCode: number;
  /** restic's own words, without secrets. */
  words: string;
  /** Whether this call writes into the repository or, restoring, into a target. */
  writesTo: 'repository' | 'target';
}

export function failureOf(seen: Seen): HoldfastError {
  const code = codeOf(seen);
  return new HoldfastError({
    code,
    message: `${seen.operation} failed: ${said(code, seen)}`,
    cause: seen.words || `restic ended with exit code ${seen.exitCode} and said nothing`,
    hint: hintFor(code, seen),
  });
}

/** Whether these words of a request that restic goes on trying will be the same at the next try. */
export function isRefusal(words: string): boolean {
  const code = codeOf({ exitCode: 1, words, writesTo: 'repository' });
  return [
    'repository.absent',
    'repository.forbidden',
    'repository.credentialsRefused',
    'repository.appendOnly',
    'repository.full',
  ].includes(code);
}

/** restic was ended because a request of it went on failing. */
export function givenUp(seen: Omit<Seen, 'exitCode'>, seconds: number): HoldfastError {
  if (isRefusal(seen.words)) return failureOf({ ...seen, exitCode: 1 });
  return new HoldfastError({
    code: 'repository.unreachable',
    message: `${seen.operation} failed: repository ${seen.repository} (${seen.url}) does not answer`,
    cause: `${seen.words}\nrestic went on trying; it was ended after ${seconds} s without success`,
    hint: UNREACHABLE_HINT,
  });
}

/** Order matters: the first that fits is the true cause, the later ones its consequences. */
function codeOf({ exitCode, words, writesTo }: Pick<Seen, 'exitCode' | 'words' | 'writesTo'>): FailureCode {
  if (exitCode === 11) return 'repository.locked';
  if (exitCode === 12) return 'repository.wrongPassword';
  if (
    /no space left on device|disk quota exceeded|QuotaExceeded|XMinioStorageFull|InsufficientStorage|file too large/i.test(
      words,
    )
  ) {
    return /restic-temp|restic-check-cache/.test(words) || writesTo === 'target'
      ? 'staging.full'
      : 'repository.full';
  }
  if (/NoSuchBucket|bucket does not exist/i.test(words)) return 'repository.absent';
  // Locks may be taken away even where nothing else may.
  if (
    /Remove\(<(?!lock)[^>]*>\) (?:failed|returned error).*(?:\b403\b|Access ?Denied|Forbidden)/i.test(words)
  ) {
    return 'repository.appendOnly';
  }
  if (/host key verification failed|host identification has changed/i.test(words)) {
    return 'repository.untrusted';
  }
  if (
    /Access Key Id you provided does not exist|InvalidAccessKeyId|SignatureDoesNotMatch|signature we calculated|\b401\b|Unauthorized|ExpiredToken|InvalidToken|token (?:has|is) expired|invalid_grant|permission denied \((?:publickey|password|keyboard)/i.test(
      words,
    )
  ) {
    return 'repository.credentialsRefused';
  }
  if (/Access ?Denied|\b403\b|Forbidden|permission denied|read-only file system/i.test(words)) {
    return 'repository.forbidden';
  }
  if (exitCode === 10) return 'repository.absent';
  if (
    /connection refused|connection reset|no such host|i\/o timeout|network is unreachable|no route to host|TLS handshake|x509|\b50\d\b|SlowDown|ServiceUnavailable|InternalError|ssh command exited|unable to start the sftp session|client connection lost/i.test(
      words,
    )
  ) {
    return 'repository.unreachable';
  }
  if (/no matching ID found|path .+: not found/i.test(words)) return 'point.unknown';
  if (
    /repository contains errors|ciphertext verification failed|does not match|invalid data returned|not found in (the )?(repository )?index|LoadTree|ReadFull|Load\(<|pack .+ does not exist|\/(data|index|snapshots|keys)\/.+no such file/i.test(
      words,
    )
  ) {
    return 'repository.damaged';
  }
  // While restoring this counts what could not be written, too.
  if (writesTo === 'repository' && /There were \d+ errors/.test(words)) return 'repository.damaged';
  return 'tool.failed';
}

function said(code: FailureCode, { repository, url, exitCode }: Seen): string {
  const named = `repository ${repository} (${url})`;
  switch (code) {
    case 'repository.absent':
      return `there is no repository at ${url} (${repository})`;
    case 'repository.locked':
      return `${named} is locked by somebody who is alive`;
    case 'repository.wrongPassword':
      return `${named} does not open with this password`;
    case 'repository.full':
      return `${named} is full`;
    case 'repository.forbidden':
      return `${named} refuses us`;
    case 'repository.credentialsRefused':
      return `${named} does not accept our credentials`;
    case 'repository.appendOnly':
      return `${named} lets nothing be taken away`;
    case 'repository.untrusted':
      return `the host of ${named} is not the one that is known`;
    case 'repository.unreachable':
      return `${named} does not answer`;
    case 'repository.damaged':
      return `${named} is damaged`;
    case 'point.unknown':
      return `${named} does not have it`;
    case 'staging.full':
      return 'no space is left where it writes on this host';
    default:
      return `restic ended with exit code ${exitCode} on ${named}`;
  }
}

const UNREACHABLE_HINT =
  'check that this host reaches it (network, proxy, the service itself); what was already sent is not sent again';

function hintFor(code: FailureCode, { url, words, repository }: Seen): string {
  switch (code) {
    case 'repository.absent':
      return url.startsWith('/')
        ? `check that ${url} is the right path and its disk is mounted; a new repository is made only where none ever was`
        : `check the bucket and path in ${url}; a bucket is not made for you`;
    case 'repository.locked':
      return `${holderIn(words)}wait until that ends, or look whether it hangs; its lock is never taken away while it may live`;
    case 'repository.wrongPassword':
      return `first check that ${url} is the repository you mean: another repository there would say the same. Then check the password reference of ${repository}`;
    case 'repository.full':
      return 'free space or raise the quota; what is stored stays readable, and the backup may simply be run again';
    case 'repository.forbidden':
      return url.startsWith('/')
        ? `give the worker's user read and write access to ${url}`
        : `check what the credentials in env of ${repository} may do: list, read, write and delete there`;
    case 'repository.credentialsRefused':
      return `they are wrong, have expired or were changed: renew the credentials of ${repository}, then run it again; what was already sent is not sent again`;
    case 'repository.appendOnly':
      return `it is append-only: what goes from ${repository} is for its own administrator, from the machine it is on`;
    case 'repository.untrusted':
      return `ask whoever runs that host for its key, and put it into the known hosts file only if it is the right one`;
    case 'repository.unreachable':
      return UNREACHABLE_HINT;
    case 'repository.damaged':
      return 'run `holdfast verify run` to see which points it hurts; the next backup sends anew what was lost';
    case 'point.unknown':
      return 'list what is there with `holdfast points list`';
    case 'staging.full':
      return 'free space on the file system named in the cause (TMPDIR moves the temporary files)';
    default:
      return 'read the cause; run `holdfast doctor` if restic itself seems to be at fault';
  }
}

/** "held by PID 7 on db1 by root since 2026-11-21 11:02:40; " out of restic's words, or nothing. */
export function holderIn(words: string): string {
  const [, holder, since] =
    /locked (?:exclusively )?by (PID \d+ on .+?) \(UID .*?\)\s*lock was created at ([\d-]+ [\d:]+)/s.exec(
      words,
    ) ?? [];
  return holder === undefined ? '' : `held by ${holder} since ${since} UTC; `;
}
