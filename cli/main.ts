// The command line: what there is, and how it fails before a command has begun. The commands' work is
// imported when they run, so that `--help` and `--version` cost little.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { applyCommand } from './apply.ts';
import { auditCommands } from './audit.ts';
import { backupCommands } from './backup.ts';
import { examples } from './command.ts';
import { controlPlaneCommands } from './control-plane.ts';
import { doctorCommand } from './doctor.ts';
import { drillCommands } from './drill.ts';
import { evidenceCommands } from './evidence.ts';
import { incidentsCommands } from './incidents.ts';
import { initCommand } from './init.ts';
import { jobsCommands } from './jobs.ts';
import { finish } from './outcome.ts';
import { kitCommands } from './kit.ts';
import { notifyCommands } from './notify.ts';
import { pointsCommands } from './points.ts';
import { policyCommands } from './policy.ts';
import { recoverCommand } from './recover.ts';
import { restoreCommands } from './restore.ts';
import { retentionCommands } from './retention.ts';
import { syncCommands } from './sync.ts';
import { statusCommand } from './status.ts';
import { tokenCommands } from './token.ts';
import { downCommand, upCommand } from './up.ts';
import { validateCommand } from './validate.ts';
import { verifyCommands } from './verify.ts';

await run(process.argv.slice(2));

async function run(words: string[]): Promise<void> {
  leaveQuietlyWhenNobodyReads();
  const json = words.includes('--json');
  const program = commandLine(json);
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return;
    if (thrown.code === 'commander.help' && !json) {
      process.exitCode = 2;
      return;
    }
    await finish(misused(thrown, words), json);
  }
}

function commandLine(json: boolean): Command {
  const program = new Command('holdfast')
    .description(
      'Backups that have been restored. Holdfast runs backups, proves them by restoring, and brings data back.',
    )
    .version(version(), '-V, --version', 'the version of this program')
    .option('--config <file>', 'the configuration (or HOLDFAST_CONFIG; default ./holdfast.yaml)')
    .option('--json', 'print one JSON object on standard output, whatever happens')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples('backup run critical', 'status', 'restore prepare --asset orders'))
    .exitOverride()
    .configureOutput({
      writeErr: (text) => (json ? undefined : process.stderr.write(text)),
      // Said by `finish` instead, in the shape of every other error.
      outputError: () => {},
    });
  addCommands(program);
  return program;
}

function addCommands(program: Command): void {
  initCommand(program);
  upCommand(program);
  downCommand(program);
  validateCommand(program);
  applyCommand(program);
  doctorCommand(program);
  statusCommand(program);
  backupCommands(program);
  verifyCommands(program);
  syncCommands(program);
  retentionCommands(program);
  restoreCommands(program);
  pointsCommands(program);
  jobsCommands(program);
  policyCommands(program);
  incidentsCommands(program);
  notifyCommands(program);
  kitCommands(program);
  auditCommands(program);
  drillCommands(program);
  evidenceCommands(program);
  controlPlaneCommands(program);
  recoverCommand(program);
  tokenCommands(program);
}

function misused(error: CommanderError, words: string[]) {
  const [noun, verb] = words.filter((word) => !word.startsWith('-'));
  const about = ['holdfast', noun, verb].filter(Boolean).join(' ');
  const alone = error.code === 'commander.help';
  return {
    data: {},
    error: {
      code: 'usage' as const,
      message: `reading the command \`${about}\` failed`,
      cause: alone ? 'it is not complete' : error.message.replace(/^error: /, ''),
      hint: `\`${helpFor(error, noun)} --help\` shows what there is`,
    },
  };
}

function helpFor(error: CommanderError, noun: string | undefined): string {
  return noun && error.code !== 'commander.unknownCommand' ? `holdfast ${noun}` : 'holdfast';
}

function version(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

/** `holdfast jobs list | head` is no failure. */
function leaveQuietlyWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
