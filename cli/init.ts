import { dirname } from 'node:path';
import type { Command } from 'commander';
import { HoldfastError } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { Restore } from '../domain/restore.ts';
import { examples } from './command.ts';
import { POLICY } from './init-answers.ts';
import type { Answers } from './init-answers.ts';
import type { FirstSteps } from './init-first-steps.ts';
import type { InitOptions } from './init-options.ts';
import type { Prompts } from './init-prompts.ts';
import type { Written } from './init-write.ts';
import { does, failed } from './outcome.ts';
import type { Call, Outcome } from './outcome.ts';

export function initCommand(program: Command): void {
  program
    .command('init')
    .description('from nothing to a first proven backup and a first restore: asks, writes the configuration')
    .option('--yes', 'ask nothing: take the options and the defaults')
    .option('--path <path...>', 'protect this directory or SQLite file')
    .option('--postgres-url-env <name...>', 'protect the database whose URL is in this variable')
    .option('--repository <place>', 'where backups are kept (default: ./backups beside the configuration)')
    .option('--copy <place>', 'keep a second copy there: another disk, or any URL restic knows')
    .option('--every <duration>', 'how often (default: 24h)')
    .option('--proof <proof>', 'when a backup counts as done: stored, verified or proven (default)')
    .option('--start', 'with --yes: also start, back up and restore once')
    .option('--force', 'replace a configuration that is there (it is kept as .before; keys stay)')
    .addHelpText(
      'after',
      examples('init', 'init --yes --path /srv/uploads --path /srv/app.db --copy /mnt/usb/backups'),
    )
    .action(does(init));
}

async function init(call: Call, options: InitOptions): Promise<Outcome> {
  const { findConfigurationFile } = await import('./configuration-file.ts');
  const configuration = findConfigurationFile({ option: call.config }).path;
  const { refuseExisting, writeEverything } = await import('./init-write.ts');
  refuseExisting(configuration, options.force === true);
  const around = { from: process.cwd(), folder: dirname(configuration), environment: process.env };

  const prompts = options.yes ? null : await promptsOnTerminal();
  const answers = prompts
    ? await (await import('./init-questions.ts')).askQuestions(prompts, around)
    : (await import('./init-options.ts')).answersFromOptions(options, around);
  const written = writeEverything(answers, configuration, options.force === true, process.env);
  for (const line of whatWasWritten(written)) call.say(line);

  const { firstSteps } = await import('./init-first-steps.ts');
  const steps = firstSteps(call, configuration);
  const done: Done = { started: false, job: null, restore: null };
  const error = await takeFirstSteps(steps, answers, done, prompts, options.start === true).catch(
    (thrown: unknown) => failed(thrown).error,
  );
  return {
    data: { ...written, ...namesOf(answers), ...done },
    text: () => nextText(answers, done, call.config === undefined ? '' : `--config ${configuration} `),
    ...(error && { error }),
  };
}

interface Done {
  started: boolean;
  job: Job | null;
  restore: Restore | null;
}

async function promptsOnTerminal(): Promise<Prompts> {
  if (process.stdin.isTTY && process.stderr.isTTY)
    return (await import('./init-prompts.ts')).terminalPrompts();
  throw new HoldfastError({
    code: 'usage',
    message: '`holdfast init` can ask nothing here',
    cause: 'standard input and standard error are not a terminal',
    hint: 'run it on a terminal, or with --yes and what to protect: `holdfast init --yes --path /srv/uploads`',
  });
}

/** What was done by then stays in `done` when a step fails. */
async function takeFirstSteps(
  steps: FirstSteps,
  { assets }: Answers,
  done: Done,
  prompts: Prompts | null,
  unasked: boolean,
): Promise<undefined> {
  const wants = (message: string) =>
    prompts ? prompts.confirm({ message, initial: true }) : Promise.resolve(unasked);
  if (
    !(await wants('Start Holdfast in the background now? (`holdfast up --detach`; `holdfast down` ends it)'))
  )
    return;
  await steps.start();
  done.started = true;
  if (!(await wants(`Take a first backup? (\`holdfast backup run ${POLICY}\`)`))) return;
  done.job = await steps.backUp();
  const [first] = assets;
  if (!first || !(await wants(`Restore ${first.name} once, beside what is there, to see it?`))) return;
  done.restore = await steps.restoreBeside(first);
}

function whatWasWritten({ configuration, keys, kept, secrets, before, unset, warnings }: Written): string[] {
  return [
    `wrote ${configuration}`,
    ...(before ? [`  what was there is kept as ${before}`] : []),
    ...keys.map((path) => (kept.includes(path) ? `kept the key ${path}` : `wrote the key ${path} (0600)`)),
    ...secrets.map((path) => `wrote ${path} (0600)`),
    ...unset.map((name) => `mind: ${name} is not set here; \`holdfast up\` needs it in its environment`),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
    'Without its key a repository is noise: whoever loses the key has lost the backups, and nobody can help.',
    'Keep a copy of each key away from this machine: in a password manager, or printed, in a drawer elsewhere.',
  ];
}

function namesOf({ assets, repository, copy }: Answers) {
  return {
    policy: POLICY,
    assets: assets.map(({ name, type }) => ({ name, type })),
    repository: repository.url,
    copy: copy?.url ?? null,
  };
}

async function nextText({ assets }: Answers, done: Done, named: string): Promise<string> {
  const [first] = assets;
  const lines: string[] = [];
  if (done.restore && first) {
    const { howToLook } = await import('./init-first-steps.ts');
    lines.push(`restored ${first.name} to ${done.restore.target}`);
    lines.push(`  look at it:     ${howToLook(first, done.restore.target)}`);
  }
  if (!done.started) lines.push(`  start it:       holdfast ${named}up --detach`);
  if (!done.job) lines.push(`  back up now:    holdfast ${named}backup run ${POLICY}`);
  if (!done.restore && first) {
    const target = first.type === 'postgres' ? `${first.name}_restored` : `/tmp/${first.name}`;
    lines.push(
      `  restore beside: holdfast ${named}restore prepare --asset ${first.name} --to ${target}, then restore commit`,
    );
  }
  lines.push(`  how it stands:  holdfast ${named}status`);
  return lines.join('\n');
}
