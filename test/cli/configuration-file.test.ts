import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  configurationDigest,
  findConfigurationFile,
  loadConfiguration,
} from '../../cli/configuration-file.ts';
import { parseConfiguration } from '../../domain/configuration/parse.ts';
import { ConfigurationError } from '../../domain/configuration/problem.ts';
import { HoldfastError } from '../../domain/errors.ts';

describe('findConfigurationFile', () => {
  const from = '/srv';
  const environment = { HOLDFAST_CONFIG: 'other/env.yaml' };

  it('takes --config before HOLDFAST_CONFIG before ./holdfast.yaml', () => {
    assert.deepEqual(findConfigurationFile({ option: '/x/opt.yaml', environment, from }), {
      path: '/x/opt.yaml',
      shown: '/x/opt.yaml',
      chosenBy: '--config',
    });
    assert.deepEqual(findConfigurationFile({ environment, from }), {
      path: '/srv/other/env.yaml',
      shown: 'other/env.yaml',
      chosenBy: 'HOLDFAST_CONFIG',
    });
    assert.deepEqual(findConfigurationFile({ environment: {}, from }), {
      path: '/srv/holdfast.yaml',
      shown: 'holdfast.yaml',
      chosenBy: 'default',
    });
  });

  it('takes an empty choice for none', () => {
    assert.equal(
      findConfigurationFile({ option: '', environment: { HOLDFAST_CONFIG: '' }, from }).chosenBy,
      'default',
    );
  });
});

describe('loadConfiguration', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-configuration-'));
  });
  after(() => rm(folder, { recursive: true }));

  const load = (option?: string) => loadConfiguration({ option, environment: {}, from: folder });
  const failure = async (option?: string): Promise<HoldfastError> => {
    const thrown: unknown = await load(option).then(
      () => assert.fail('taken'),
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof HoldfastError);
    assert.equal(thrown.exitCode, 2);
    return thrown;
  };

  it('reads the file, its paths from its own folder', async () => {
    await mkdir(join(folder, 'inner'));
    await writeFile(join(folder, 'inner', 'h.yaml'), 'version: 1\ndataDir: ../data\n');
    const { configuration, path, warnings, digest } = await load('inner/h.yaml');
    assert.equal(path, join(folder, 'inner', 'h.yaml'));
    assert.equal(configuration.dataDir, join(folder, 'data'));
    assert.equal(warnings[0]?.file, 'inner/h.yaml');
    assert.match(digest, /^[0-9a-f]{64}$/);
  });

  it('names the file in every problem', async () => {
    await writeFile(join(folder, 'bad.yaml'), 'version: 1\nrecipes: []\n');
    const error = await failure('bad.yaml');
    assert.ok(error instanceof ConfigurationError);
    assert.match(error.cause, /^bad\.yaml:2:1 recipes: unknown key/);
  });

  it('says of a missing default file how to get one', async () => {
    const error = await failure();
    assert.match(error.message, /^reading the configuration holdfast\.yaml failed$/);
    assert.match(error.cause, /ENOENT/);
    assert.match(error.hint, /holdfast init.*--config/);
  });

  it('says of a missing named file who named it', async () => {
    const error = await failure('none.yaml');
    assert.match(error.message, /none\.yaml \(--config\)/);
    assert.match(error.hint, /check the path given by --config/);
  });

  it('says of a folder that it is one', async () => {
    assert.match((await failure('.')).hint, /not the folder/);
  });

  it('says of an unreadable file whom to let in', async () => {
    const path = join(folder, 'closed.yaml');
    await writeFile(path, 'version: 1\n');
    await chmod(path, 0o000);
    const error = await asNobody(() => failure('closed.yaml'));
    assert.match(error.cause, /EACCES/);
    assert.match(error.hint, /let this user read/);
  });

  it('refuses what is not UTF-8, and what is no configuration by its size', async () => {
    await writeFile(join(folder, 'latin.yaml'), Buffer.from([0x76, 0xe9, 0x0a]));
    assert.match((await failure('latin.yaml')).cause, /not UTF-8/);
    await writeFile(join(folder, 'large.yaml'), Buffer.alloc(4 * 2 ** 20 + 1, '#'));
    assert.match((await failure('large.yaml')).cause, /bytes/);
  });
});

/** Root reads everything, so it steps down for as long as this lasts. */
async function asNobody<Result>(act: () => Promise<Result>): Promise<Result> {
  const root = process.getuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    return await act();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

describe('configurationDigest', () => {
  const digest = (text: string) =>
    configurationDigest(parseConfiguration(text, { file: 'f', folder: '/f' }).configuration);

  it('is the same for the same meaning, whatever the order of keys, the comments and the spelling', () => {
    assert.equal(
      digest('version: 1\ndataDir: ./x\nports: { api: 1, metrics: 2 }\n'),
      digest('# a comment\nports:\n  metrics: 2\n  api: 1\ndataDir: /f/x/\nversion: 1\n'),
    );
  });

  it('differs when something differs', () => {
    assert.notEqual(digest('version: 1\ndataDir: ./x\n'), digest('version: 1\ndataDir: ./y\n'));
  });
});
