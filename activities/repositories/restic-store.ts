// Storing one part of a point: a folder, or what a command prints.

import { realpath } from 'node:fs/promises';
import { HoldfastError, wordsOf } from '../../domain/errors.ts';
import type { Progress } from '../../domain/job.ts';
import { MASKED } from '../../domain/secret-reference.ts';
import type { SnapshotPart } from '../sources/source.ts';
import type { Step } from '../step.ts';
import type { PointLabels, StoredPart } from './repository.ts';
import { backupCommandArguments, backupFolderArguments } from './restic-arguments.ts';
import type { ResticConnection } from './restic-connection.ts';
import { readBackupSummary, readItemError, readProgress } from './restic-messages.ts';
import { runRestic, type ResticResult } from './restic-run.ts';

/** At least one source file could not be read; there is a snapshot, and it is partial. */
const PARTIAL = 3;
/** What could not be read is listed for people: past this it is only counted. */
const NAMED_FILES = 100;

/** restic's words where its index lacks parts of an unchanged file: it reads and stores the file again. */
const LOST_FILE = /^parts of .* not found in the repository index; storing the file again$/s;
/**
 * restic's words, behind the folder's path, where the snapshot that it compares with has lost it. It reads the folder
 * anew, but sends nothing that it believes to be there.
 */
const LOST_FOLDER =
  /(?:^|: )tree [0-9a-f]{64} (?:is not known|could not be loaded); the repository could be damaged/;

/** One call of restic. What is returned with `unreadable` is partial and must not be called a success. */
export async function storePart(
  connection: ResticConnection,
  part: SnapshotPart,
  labels: PointLabels,
  step: Step,
  parent?: string | null,
): Promise<StoredPart> {
  const operation = `backup of ${labels.asset} (${part.name})`;
  const path = part.kind === 'folder' ? await existingFolder(part.path, operation) : '/';
  const unreadable = new Set<string>();
  const lostFolders: string[] = [];
  let sentAgain = 0;
  const commandWords: string[] = [];
  const summaries: NonNullable<ReturnType<typeof readBackupSummary>>[] = [];
  const result = await runRestic(
    connection,
    {
      operation,
      args:
        part.kind === 'folder'
          ? backupFolderArguments(path, part.exclude, labels, parent)
          : backupCommandArguments(part.command, part.fileName, hiddenVariables(connection), labels),
      ...(part.kind === 'command' && { env: part.env }),
      accept: ({ exitCode }) => exitCode === PARTIAL,
      ...(part.kind === 'command' && {
        onSideLine: (line) => commandWords.splice(0, commandWords.length, ...commandWords.slice(-9), line),
        explain: ({ words }) =>
          commandFailure(part, operation, words, withoutSecrets(commandWords.join('\n'), part.env)),
      }),
      onStdoutLine: (line) => {
        const progress = readProgress('storing', line);
        if (progress) step.progress(withExpectation(progress, part));
        const summary = readBackupSummary(line);
        if (summary) summaries.push(summary);
      },
      onStderrLine: (line) => {
        const failed = readItemError(line);
        if (failed?.during !== 'archival') return;
        const { item, error } = failed;
        if (LOST_FILE.test(error.message)) {
          sentAgain += 1;
          return;
        }
        unreadable.add(`${item}: ${error.message}`);
        if (LOST_FOLDER.test(error.message)) lostFolders.push(`${item}: ${error.message}`);
      },
    },
    step,
  );
  const summary = summaries.at(-1);
  if (!summary) throw withoutSnapshot(operation, result);
  if (sentAgain > 0)
    step.say(
      'warning',
      `${sentAgain} unchanged files were sent again: ${connection.name} has lost parts of them, so older points may lack them, too (\`holdfast verify run\` of their policy finds out which)`,
    );
  const partial = result.exitCode === PARTIAL && (unreadable.size > 0 || sentAgain === 0);
  return {
    part: part.name,
    snapshotId: summary.snapshot_id,
    path,
    files: summary.total_files_processed,
    bytes: summary.total_bytes_processed,
    addedBytes: summary.data_added_packed,
    unreadable: partial ? shortened([...unreadable], result.words) : [],
    lostFolders,
  };
}

/** restic stores a symbolic link as such: of an asset behind one, the link is all that would be stored. */
async function existingFolder(path: string, operation: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw new HoldfastError({
      code: 'source.missing',
      message: `${operation} failed: ${path} cannot be reached`,
      cause: wordsOf(error),
      hint: 'check that the path exists, that its disk is mounted, and that the worker may enter it',
    });
  }
}

/** The repository's credentials are no business of the command that is stored. */
function hiddenVariables(connection: ResticConnection): string[] {
  return ['RESTIC_REPOSITORY', 'RESTIC_PASSWORD_FILE', ...Object.keys(connection.env ?? {})];
}

/** A command's size is not known to restic beforehand; the source may have an idea. */
function withExpectation(progress: Progress, part: SnapshotPart): Progress {
  if (part.kind === 'folder' || part.expectedBytes === null) return progress;
  const left = Math.max(0, part.expectedBytes - progress.bytesDone);
  const etaSeconds = progress.bytesPerSecond > 0 ? Math.round(left / progress.bytesPerSecond) : null;
  return { ...progress, bytesTotal: Math.max(part.expectedBytes, progress.bytesDone), etaSeconds };
}

/** The command failed, not the repository; `own` is what it said itself. */
function commandFailure(
  part: SnapshotPart & { kind: 'command' },
  operation: string,
  words: string,
  own: string,
): HoldfastError | null {
  const how = /command failed: (.+)/.exec(words)?.[1];
  if (how === undefined) return null;
  const program = part.command[0] ?? '';
  const missing = /^exit status 12[67]$/.test(how) && /^env: /m.test(own);
  return new HoldfastError({
    code: missing ? 'tool.missing' : 'tool.failed',
    message: `${operation} failed: ${program} ended with ${how}, and nothing was stored`,
    cause: own || how,
    hint: missing
      ? 'run `holdfast doctor`'
      : 'read its own words above; no incomplete recovery point was kept',
  });
}

function withoutSecrets(text: string, env: Record<string, string>): string {
  const secrets = Object.entries(env).filter(([name, value]) => /PASS|SECRET|KEY|TOKEN/i.test(name) && value);
  return secrets.reduce((shown, [, secret]) => shown.replaceAll(secret, MASKED), text);
}

function withoutSnapshot(operation: string, result: ResticResult): HoldfastError {
  return new HoldfastError({
    code: 'tool.failed',
    message: `${operation} failed: restic ended with exit code ${result.exitCode} and named no snapshot`,
    cause: result.words,
    hint: 'check that restic is the version `holdfast doctor` asks for',
  });
}

function shortened(items: string[], words: string): string[] {
  if (items.length === 0) return [words];
  if (items.length <= NAMED_FILES) return items;
  return [...items.slice(0, NAMED_FILES), `and ${items.length - NAMED_FILES} more`];
}
