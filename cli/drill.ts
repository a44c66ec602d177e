import type { Command } from 'commander';
import { formatDuration } from '../domain/duration.ts';
import type { ErrorContract } from '../domain/errors.ts';
import type { CorrectiveAction, DrilledAsset, DrillMoment, DrillPhase } from '../domain/evidence/record.ts';
import type { Job } from '../domain/job.ts';
import { statusCell } from './colours.ts';
import { examples, group, moreLine, paged, type List, type PagedOptions } from './command.ts';
import { errorOfJob, exitCodeOfJob } from './exit-code.ts';
import { confirmedBy, timelineText } from './game-day.ts';
import { does, type Call, type Outcome } from './outcome.ts';
import { segment, type Service } from './service.ts';

interface Drill {
  id: string;
  name: string;
  scenario: string;
  workflowId: string;
  repository: string;
  status: string;
  outcome: 'failed' | 'missed' | 'inconclusive' | 'passed' | null;
  startedAt: string;
  endedAt: string | null;
  rtoSeconds: number | null;
  rpoSeconds: number | null;
  assets: DrilledAsset[];
  phases: DrillPhase[];
  timeline: DrillMoment[];
  evidence: string | null;
  reasons: { asset: string | null; outcome: string; what: string }[];
  actions: CorrectiveAction[];
  retests: { drill: string; action: string }[];
  retestedBy: { drill: string; sequence: number; outcome: string }[];
  operator: string | null;
  approval: { by: string; at: string; note: string } | null;
}

interface RunOptions {
  idempotencyKey?: string;
  detach?: boolean;
  gameDay?: boolean;
  yesDestroy?: string;
}

export function drillCommands(program: Command): void {
  const drill = group(program, 'drill', 'rehearse a loss from one copy alone, with evidence');
  drill
    .command('run <name>')
    .description('hold a configured drill now, in a clean room')
    .option('--idempotency-key <key>', 'start nothing when a request with this key did already')
    .option('--detach', 'return as soon as it has started')
    .option('--game-day', 'take the service itself down, and bring it back from the copy')
    .option('--yes-destroy <name>', "of a game day: the drill's name again, instead of being asked")
    .addHelpText('after', examples('drill run quarterly', 'drill run quarterly --detach --json'))
    .action(
      does(async (call, name: string, options: RunOptions) => {
        const service = await call.service();
        const key = options.idempotencyKey;
        const headers = key === undefined ? {} : { 'idempotency-key': key };
        const terminal = process.stdin.isTTY && process.stderr.isTTY && !call.json;
        const gameDay = options.gameDay && {
          gameDay: true,
          confirm: await confirmedBy(name, options.yesDestroy, { terminal }),
        };
        const started = await service.post<Drill>('/drills', { drill: name, ...gameDay }, headers);
        if (options.detach)
          return { data: started, text: () => `drill ${name} is ${started.status}: ${started.id}` };
        return runToEnd(call, service, started);
      }),
    );
  paged(drill.command('list').description('the drills that were held, newest first'))
    .option('--drill <name>', 'only of this one')
    .addHelpText('after', examples('drill list', 'drill list --drill quarterly'))
    .action(
      does(async (call, { limit, cursor, drill: name }: PagedOptions & { drill?: string }) => {
        const service = await call.service();
        const held = await service.get<List<Drill>>('/drills', { limit, cursor, drill: name });
        return { data: held, text: () => listText(held) };
      }),
    );
  drill
    .command('show <id>')
    .description('what a drill brought back, and how long each phase took')
    .addHelpText('after', examples('drill show 7f3a'))
    .action(
      does(async (call, id: string) => {
        const found = await (await call.service()).get<Drill>(`/drills/${segment(id)}`);
        return { data: found, text: () => drillText(found) };
      }),
    );
  drill
    .command('approve <id>')
    .description("sign a drill's evidence off, in the name of your token")
    .option('--note <words>', 'what you looked at, or agreed to; for the record')
    .addHelpText('after', examples('drill approve 7f3a --note "seen with the auditors"'))
    .action(
      does(async (call, id: string, { note }: { note?: string }) => {
        const service = await call.service();
        const body = note === undefined ? {} : { note };
        const found = await service.post<Drill>(`/drills/${segment(id)}/approve`, body);
        return { data: found, text: () => drillText(found) };
      }),
    );
}

async function runToEnd(call: Call, service: Service, { id, workflowId }: Drill): Promise<Outcome> {
  call.say(`drill ${id} · in Temporal: ${workflowId}`);
  const [{ interrupted, waitForJob }, { viewFor }] = await Promise.all([
    import('./wait.ts'),
    import('./view.ts'),
  ]);
  const job = await service.get<Job>(`/jobs/${segment(id)}`);
  const waited = await waitForJob(service, job, viewFor());
  const drill = await service.get<Drill>(`/drills/${segment(id)}`);
  if (waited.kind === 'interrupted') {
    const error = interrupted(
      `drill ${id}`,
      `holdfast jobs logs ${id} --follow`,
      `holdfast jobs cancel ${id}`,
    );
    return { data: drill, error: error.toContract() };
  }
  const error = errorOf(waited.result);
  return {
    data: drill,
    text: () => drillText(drill),
    exitCode: exitCodeOf(drill, waited.result),
    ...(error && {
      error,
      trailer: [`drill ${id} · \`holdfast jobs logs ${id}\` · in Temporal: ${workflowId}`],
    }),
  };
}

/** Of the drill as a whole, where there is one: it names the assets too. */
function errorOf(job: Job): ErrorContract | null {
  return (job.error as ErrorContract | null) ?? errorOfJob(job);
}

/** Everything came back, later or older than it should: that is an objective that was breached. */
function exitCodeOf(drill: Drill, job: Job): number {
  if (drill.outcome === 'missed') return 21;
  return drill.outcome === 'inconclusive' ? 3 : exitCodeOfJob(job);
}

async function listText(list: List<Drill>): Promise<string> {
  const { table } = await import('./table.ts');
  const rows = list.items.map((drill) => [
    drill.name,
    drill.scenario,
    statusCell(drill.outcome ?? drill.status),
    drill.startedAt,
    inWords(drill.rtoSeconds),
    inWords(drill.rpoSeconds),
    drill.id,
  ]);
  const head = ['DRILL', 'SCENARIO', 'OUTCOME', 'STARTED', 'RTO', 'RPO', 'ID'];
  return (await table(head, rows)) + moreLine(list);
}

async function drillText(drill: Drill): Promise<string> {
  const { table } = await import('./table.ts');
  const assets = drill.assets.map(({ asset, point, restored, rpo, rto }) => [
    asset,
    point?.id ?? '-',
    point?.takenAt ?? '-',
    restored ? 'yes' : 'no',
    inWords(rto.achievedSeconds),
    inWords(rpo.achievedSeconds),
  ]);
  const phases = drill.phases.map(({ name, seconds }) => `${name} ${formatDuration(seconds)}`);
  return [
    await table(['ASSET', 'RECOVERY POINT', 'TAKEN', 'RESTORED', 'RTO', 'RPO'], assets),
    ...(phases.length > 0 ? [`phases: ${phases.join(', ')}`] : []),
    ...timelineText(drill.timeline),
    ...drill.reasons.map(({ asset, what }) => `  ${asset === null ? '' : `${asset}: `}${what}`),
    ...followUp(drill),
    ...(drill.evidence === null ? [] : [`evidence: ${drill.evidence}`]),
    ...(drill.approval === null ? [] : [await approvalLine(drill.approval)]),
    `drill ${drill.name} (${drill.scenario}) from ${drill.repository}: ${drill.outcome ?? drill.status}, RTO ${inWords(drill.rtoSeconds)}, RPO ${inWords(drill.rpoSeconds)}`,
  ].join('\n');
}

/** What has to be set right, and where it was tested again. */
function followUp({ actions, retests, retestedBy }: Drill): string[] {
  const tested = retests.map(({ drill, action }) => `${action} of drill ${drill.slice(0, 8)}`);
  return [
    ...(tested.length > 0 ? [`tests again: ${tested.join(', ')}`] : []),
    ...actions.map(({ id, what, owner }) => `  action ${id} (${owner}): ${what}`),
    ...retestedBy.map(
      ({ drill, sequence, outcome }) => `retested by #${sequence} (drill ${drill.slice(0, 8)}): ${outcome}`,
    ),
  ];
}

async function approvalLine({ by, at, note }: NonNullable<Drill['approval']>): Promise<string> {
  const { exact } = await import('./when.ts');
  return `signed off by ${by}, ${exact(at)}${note === '' ? '' : `: ${note}`}`;
}

function inWords(seconds: number | null): string {
  return seconds === null ? '-' : formatDuration(seconds);
}
