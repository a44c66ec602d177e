// `init` on a terminal: the questions, in the order a newcomer can answer them. Nothing is written here, so
// that Ctrl-C at any of them leaves everything as it was.

import { resolve } from 'node:path';
import { parseDatabaseUrl } from '../domain/configuration/database-url.ts';
import { refuseRepositoryUrl } from '../domain/configuration/repository-url.ts';
import { parseDuration } from '../domain/duration.ts';
import { asHoldfastError } from '../domain/errors.ts';
import { assetName, credentialsFor, databaseName } from './init-answers.ts';
import type { Answers, AssetAnswer, RepositoryAnswer, SecretAnswer } from './init-answers.ts';
import { detect, isRepository, onOneDisk } from './init-detect.ts';
import { place } from './init-options.ts';
import type { Surroundings } from './init-options.ts';
import type { Prompts } from './init-prompts.ts';

export async function askQuestions(prompts: Prompts, around: Surroundings): Promise<Answers> {
  const assets = await askAssets(prompts, around);
  const repository = await askRepository(prompts, around, {
    question: 'Where are the backups kept? A folder, or any URL restic knows (s3:https://…, sftp:…, rest:…)',
    initial: resolve(around.folder, 'backups'),
    assets,
  });
  const copy = await askCopy(prompts, around, repository, assets);
  return { assets, repository, copy, every: await askEvery(prompts), proof: await askProof(prompts) };
}

async function askAssets(prompts: Prompts, around: Surroundings): Promise<AssetAnswer[]> {
  const assets: AssetAnswer[] = [];
  for (;;) {
    const names = assets.map(({ name }) => name);
    const given = await prompts.text({
      message:
        assets.length === 0
          ? 'What is to be protected? A directory, an SQLite file, or `postgres` for a database'
          : 'What else? Enter alone goes on',
      check: (text) => (text === '' && assets.length > 0 ? undefined : refusalOf(text, assets, around)),
    });
    if (given === '') return assets;
    if (given === 'postgres') assets.push(await askDatabase(prompts, names));
    else {
      const path = resolve(around.from, given);
      const type = detect(path);
      const name = assetName(path, names);
      assets.push({ name, type, path });
      prompts.say(`${path}: ${type === 'sqlite' ? 'an SQLite database' : 'a directory'}, called ${name}`);
    }
  }
}

function refusalOf(text: string, assets: AssetAnswer[], around: Surroundings): string | undefined {
  if (text === 'postgres') return undefined;
  if (text === '') return 'name something to protect';
  const path = resolve(around.from, text);
  if (assets.some((asset) => asset.type !== 'postgres' && asset.path === path)) return 'it is named already';
  return wordsOfRefusal(() => detect(path));
}

async function askDatabase(prompts: Prompts, names: string[]): Promise<AssetAnswer> {
  const given = await prompts.secret({
    message:
      'Its URL, postgres://user:password@host:5432/database (goes into a file only you can read), or env:NAME',
    check: (text) => {
      if (/^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return undefined;
      return wordsOfRefusal(() => parseDatabaseUrl(text));
    },
  });
  const variable = /^env:(.+)$/.exec(given)?.[1];
  if (variable)
    return {
      name: databaseName(variable, names),
      type: 'postgres',
      url: { kind: 'env', name: variable },
    };
  const name = assetName(parseDatabaseUrl(given).database, names);
  return { name, type: 'postgres', url: { kind: 'value', value: given } };
}

interface RepositoryQuestion {
  question: string;
  initial: string;
  assets: AssetAnswer[];
  other?: RepositoryAnswer;
}

async function askRepository(
  prompts: Prompts,
  around: Surroundings,
  { question, initial, assets, other }: RepositoryQuestion,
): Promise<RepositoryAnswer> {
  const given = await prompts.text({
    message: question,
    initial,
    check: (text) => {
      const url = place(text, around.from);
      const refused = refuseRepositoryUrl(url);
      if (refused) return `${refused.message}: ${refused.fix}`;
      if (other?.url === url) return 'that is the first one: name another place';
      const inside = assets.some((asset) => asset.type !== 'postgres' && asset.path === url);
      return inside ? 'that is what is to be protected: name another place' : undefined;
    },
  });
  const url = place(given, around.from);
  const isLocal = url.startsWith('/');
  const sameDisk = assets.some((asset) => asset.type !== 'postgres' && onOneDisk(asset.path, url));
  if (isLocal && sameDisk)
    prompts.say('This is the disk your data is on: it protects from mistakes, not from a broken disk.');
  const exists = isLocal && isRepository(url);
  const password = exists
    ? await prompts.secret({
        message: 'There is a repository already. Its password',
        check: (text) => (text === '' ? 'a repository has a password' : undefined),
      })
    : null;
  return { url, password, credentials: await askCredentials(prompts, url) };
}

async function askCredentials(prompts: Prompts, url: string): Promise<RepositoryAnswer['credentials']> {
  const credentials: RepositoryAnswer['credentials'] = [];
  for (const { variable, what, needed } of credentialsFor(url)) {
    const given = await prompts.secret({
      message: `${variable}, ${what} (goes into a file only you can read), or env:NAME`,
      check: (text) => (text === '' && needed ? 'it is needed' : undefined),
    });
    if (given !== '') credentials.push({ variable, value: secretFrom(given) });
  }
  return credentials;
}

async function askCopy(
  prompts: Prompts,
  around: Surroundings,
  repository: RepositoryAnswer,
  assets: AssetAnswer[],
): Promise<RepositoryAnswer | null> {
  const wanted = await prompts.confirm({
    message: 'Keep a second copy somewhere else? (another disk, a bucket, another host)',
    initial: false,
  });
  if (!wanted) return null;
  const question = 'Where? A folder on another disk, or any URL restic knows';
  return askRepository(prompts, around, { question, initial: '', assets, other: repository });
}

async function askEvery(prompts: Prompts): Promise<string> {
  const chosen = await prompts.select({
    message: 'How often? At most this much work is lost on a bad day',
    options: [
      { value: '24h', label: 'every day' },
      { value: '6h', label: 'every six hours' },
      { value: '1h', label: 'every hour' },
      { value: '7d', label: 'every week' },
      { value: 'other', label: 'something else' },
    ],
  });
  if (chosen !== 'other') return chosen;
  return prompts.text({
    message: 'How often? Like 30m, 12h or 2d',
    check: (text) => (parseDuration(text) === null ? 'write it like 30m, 12h or 2d' : undefined),
  });
}

function askProof(prompts: Prompts): Promise<Answers['proof']> {
  return prompts.select({
    message: 'When does a backup count as done?',
    options: [
      {
        value: 'proven',
        label: 'when it was restored in a sandbox and compared',
        hint: 'the only real proof',
      },
      { value: 'verified', label: 'when every byte was read back', hint: 'less work for a large one' },
      { value: 'stored', label: 'when it was written', hint: 'nobody has looked whether it can be read' },
    ],
  });
}

function secretFrom(given: string): SecretAnswer {
  const name = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(given)?.[1];
  return name ? { kind: 'env', name } : { kind: 'value', value: given };
}

function wordsOfRefusal(look: () => unknown): string | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    const { cause, hint } = asHoldfastError(error);
    return `${cause}: ${hint}`;
  }
}
