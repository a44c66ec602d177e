// The sheet of a recovery kit: to be printed, read under stress and copied from. No secret stands in it. What its
// commands say is what a drill runs: the headings below are how the drill finds them.

import { formatDuration } from '../duration.ts';
import { assetCommands, placedAt, resticFor } from './asset-commands.ts';
import { folderOf, type KitAsset, type KitFacts, type KitRepository } from './facts.ts';
import { usesDefaultRcloneConf } from './rclone.ts';
import { shellWord } from './shell-word.ts';

export const SEALED_FILE = 'recovery-kit.age';
export const SHEET_FILE = 'recovery-kit.md';

export interface SheetFacts {
  kit: KitFacts;
  /** Of the facts. */
  digest: string;
  writtenAt: string;
  host: string;
  dataDir: string;
  holdfast: string;
  /** Who can open the sealed part, in words; no key stands in them. */
  sealedFor: string[];
  passphrase: boolean;
  rtoSeconds: number | null;
}

export const USE = 'Use it';
export const FETCH = 'Fetch';
export const PLACE = 'Put in place';
export const CHECK = 'Check';

export function assetHeading(asset: string, repository: string): string {
  return `${asset} from ${repository}`;
}

export function repositoryHeading(repository: string): string {
  return `Repository ${repository}`;
}

export function renderSheet(facts: SheetFacts): string {
  const { kit } = facts;
  return [
    ...head(facts),
    ...opening(facts),
    ...kit.repositories.flatMap((repository) => [
      ...repositoryPart(facts, repository),
      ...kit.assets
        .filter(({ repositories }) => repositories.includes(repository.name))
        .flatMap((asset) => assetPart(asset, repository)),
    ]),
    ...afterwards(),
  ].join('\n');
}

function head({
  kit,
  digest,
  writtenAt,
  host,
  dataDir,
  holdfast,
  sealedFor,
  rtoSeconds,
}: SheetFacts): string[] {
  return [
    `# Recovery kit of ${host}`,
    '',
    `Written ${writtenAt} by Holdfast ${holdfast}, which keeps its data in ${code(dataDir)} on ${host}.`,
    'Two files belong together: this sheet, which holds no secret and is to be printed, and the sealed',
    `${code(SEALED_FILE)}, which holds what opens the repositories. Keep both away from ${host}.`,
    '',
    '| | |',
    '|---|---|',
    `| this kit | ${code(digest.slice(0, 16))} |`,
    `| configuration | ${code(kit.configuration)} |`,
    `| audit key | ${code(kit.auditKey.keyId)} |`,
    `| its public half | ${code(kit.auditKey.publicKey)} |`,
    `| sealed for | ${sealedFor.map(cell).join('<br>')} |`,
    `| tools | ${kit.tools.map(({ name, minimum }) => `${name} ${minimum} or newer`).join(', ')}, age, tar, bash |`,
    ...(rtoSeconds === null ? [] : [`| to be back within | ${formatDuration(rtoSeconds)} |`]),
    '',
  ];
}

function opening({ passphrase }: SheetFacts): string[] {
  return [
    '## Open the sealed part',
    '',
    'All commands are for bash, on any machine that has the tools. They take these variables; what is not set',
    'has the value shown here:',
    '',
    ...(passphrase ? [] : ['- `IDENTITY`: the file with the age identity that the kit is sealed for']),
    '- `KIT`: where the sealed part is opened: secrets in plain, so remove it in the end',
    '- `TARGET`: where data is fetched to',
    '- `POINT`: id of the recovery point (`holdfast:point=…` in the lists); not set: the newest',
    '- `ROOT`: set before every path on "Put in place"; not set: everything goes where it was',
    '- `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`: the PostgreSQL server to restore into, as its superuser',
    '',
    ...block('Prepare', [
      'umask 077',
      'export KIT="${KIT:-$HOME/recovery-kit}" TARGET="${TARGET:-$HOME/recovered}"',
      'mkdir -p "$KIT" "$TARGET"',
    ]),
    ...block('Open', [`age -d ${passphrase ? '' : '-i "$IDENTITY" '}${SEALED_FILE} | tar -x -C "$KIT"`]),
  ];
}

function repositoryPart(facts: SheetFacts, repository: KitRepository): string[] {
  const { name, type, url, password, env, ssh } = repository;
  const folder = folderOf(name);
  const variables = env.map((variable) => variable.name);
  const ownConf = usesDefaultRcloneConf(url, variables);
  return [
    `## ${repositoryHeading(name)}`,
    '',
    `- ${type}, at ${code(url)}`,
    `- its key is kept at ${code(password)}; in the sealed part: ${code(`${folder}/password`)}`,
    ...env.map(
      (variable) =>
        `- needs ${code(variable.name)}, kept at ${code(variable.reference)}; in the sealed part: ${code(`${folder}/environment`)}`,
    ),
    ...(ownConf
      ? [
          `- needs rclone's own ${code('~/.config/rclone/rclone.conf')}; in the sealed part: ${code(`${folder}/rclone.conf`)}`,
        ]
      : []),
    ...(ssh?.identity ? [`- reached with the ssh key ${code(`${folder}/identity`)} of the sealed part`] : []),
    ...(ssh?.knownHosts
      ? [`- its host is known by ${code(`${folder}/known_hosts`)} of the sealed part`]
      : []),
    '',
    ...block(USE, [`. "$KIT/${folder}/environment"`, `${resticFor(repository)} snapshots --latest 1`]),
    'Where Holdfast is to be had, one command brings back its configuration, catalogue, audit chain and evidence;',
    'restores are prepared with it from then on:',
    '',
    ...block('Everything with Holdfast', [
      [
        `holdfast recover --repository ${shellWord(url)} --password "file:$KIT/${folder}/password"`,
        ...[...variables, ...(ownConf ? ['RCLONE_CONFIG'] : [])].map(
          (variable) => `--env ${variable}=env:${variable}`,
        ),
        ...(ssh?.identity ? [`--identity-file "$KIT/${folder}/identity"`] : []),
        ...(ssh?.knownHosts ? [`--known-hosts-file "$KIT/${folder}/known_hosts"`] : []),
        `--data-dir ${shellWord(facts.dataDir)}`,
      ].join(' \\\n  '),
    ]),
  ];
}

function assetPart(asset: KitAsset, repository: KitRepository): string[] {
  const { look, fetch, place, check } = assetCommands(asset, repository);
  const found = {
    directory: 'The number of entries and their size are those of the original.',
    sqlite: 'It says `ok`.',
    postgres: 'The tables are there with their sizes; each question is answered with `t`.',
  };
  return [
    `### ${assetHeading(asset.name, repository.name)}`,
    '',
    `A ${asset.type === 'postgres' ? 'PostgreSQL database' : asset.type}; it goes to ${code(placedAt(asset, ''))}.`,
    ...(asset.previously === null
      ? []
      : [
          `Points from before its renaming are labelled ${code(`holdfast:asset=${asset.previously}`)}: put that into the commands.`,
        ]),
    'A snapshot with `holdfast:partial=…` is not whole: set `POINT` to an earlier one.',
    '',
    ...block('Look', [look]),
    ...block(FETCH, [fetch]),
    ...(asset.type === 'postgres'
      ? [
          'For a server that holds nothing else: roles are made as they were, with their passwords. A role that is there',
          'already is told as an error and left; a database of this name stops it.',
          '',
        ]
      : ['What lies there is set aside as `….before-<time>`. Stop what uses it first.', '']),
    ...block(PLACE, [place]),
    ...block(CHECK, [check]),
    found[asset.type],
    '',
  ];
}

function afterwards(): string[] {
  return [
    '## Afterwards',
    '',
    'Remove what was opened, and change every key that was on a machine you do not trust:',
    '',
    ...block('Clear up', ['rm -rf -- "$KIT" "$TARGET"']),
  ];
}

function block(title: string, lines: string[]): string[] {
  return [`#### ${title}`, '', '```sh', ...lines, '```', ''];
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** Tables end at a bar, code at a back-quote. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('`', "'").replaceAll(/\s+/g, ' ');
}
