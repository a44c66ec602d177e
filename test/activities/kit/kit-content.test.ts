import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kitContent } from '../../../activities/kit/kit-content.ts';
import type { OpenedKit } from '../../../activities/kit/opened-kit.ts';
import { runSheet } from '../../../activities/kit/sheet-commands.ts';
import type { Repository } from '../../../domain/configuration/types.ts';
import { kitFactsOf } from '../../../domain/kit/facts.ts';
import { renderSheet, USE } from '../../../domain/kit/sheet.ts';
import { aConfiguration } from '../../catalog/fixture.ts';
import { makeStep } from '../sources/source-fixture.ts';

describe('what goes into the recovery kit', () => {
  let folder: string;
  const home = process.env['HOME'];
  const at = (...names: string[]) => join(folder, ...names);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-kit-'));
    await writeFile(at('key'), 'a key', { mode: 0o600 });
    await mkdir(at('.config', 'rclone'), { recursive: true });
    process.env['HOME'] = folder;
  });
  after(async () => {
    process.env['HOME'] = home;
    await rm(folder, { recursive: true, force: true });
  });

  async function contentFor(
    changes: Partial<Repository>,
  ): Promise<{ files: Map<string, string>; sheet: string }> {
    const base = aConfiguration();
    const [near] = base.repositories;
    const password = { kind: 'file' as const, path: at('key') };
    const repositories = [{ ...near!, ...changes, name: 'near', password }];
    const policies = [{ ...base.policies[0]!, repository: 'near', copies: [] }];
    const configuration = { ...base, repositories, policies };
    const auditKey = { keyId: 'k1', publicKey: 'MCow' };
    const facts = kitFactsOf(configuration, {
      ...{ digest: 'c1', auditKey, seen: new Map(), minimum: () => '1.0', shownUrl: (url: string) => url },
    });
    const sheet = renderSheet({
      ...{ kit: facts, digest: 'd', writtenAt: '2026-11-20T02:00:00Z', host: 'shop-1', dataDir: '/data' },
      ...{ holdfast: '0.1.0', sealedFor: ['age1…'], passphrase: false, rtoSeconds: null },
    });
    const { files } = await kitContent({ configuration, written: null, facts, digest: 'd' }, sheet, 'now');
    const ofRepository = files.filter(({ path }) => path.startsWith('repositories/near/'));
    return {
      files: new Map(ofRepository.map(({ path, content }) => [path.split('/').at(-1)!, content.toString()])),
      sheet,
    };
  }

  const variable = (name: string, value: string) => {
    process.env[name] = value;
    return { kind: 'env' as const, name };
  };

  it('is the rclone.conf that rclone finds by itself, where the configuration names none', async () => {
    await writeFile(at('.config', 'rclone', 'rclone.conf'), '[hidden]\ntype = crypt\npassword = obscured\n');
    const { files, sheet } = await contentFor({ url: 'rclone:hidden:depot' });
    assert.match(files.get('rclone.conf') ?? '', /obscured/);
    assert.match(
      files.get('environment') ?? '',
      /^export RCLONE_CONFIG="\$KIT\/repositories\/near\/rclone\.conf"$/m,
    );
    assert.match(sheet, /--env RCLONE_CONFIG=env:RCLONE_CONFIG/);
    const type = variable('HOLDFAST_TEST_TYPE', 'drive');
    const named = await contentFor({ url: 'rclone:hidden:depot', env: { RCLONE_CONFIG_HIDDEN_TYPE: type } });
    assert.deepEqual([...named.files.keys()], ['password', 'environment']);
  });

  it('is no rclone.conf that names files of this host, nor one that is not there', async () => {
    const named = at('named.conf');
    const env = { RCLONE_CONFIG: variable('HOLDFAST_TEST_CONF', named) };
    const options = ['service_account_file = /etc/drive.json', '  known_hosts_file=~/.ssh/known_hosts'];
    for (const option of options) {
      await writeFile(named, `[drive]\ntype = drive\n${option}\n`);
      const refused = contentFor({ url: 'rclone:drive:depot', env });
      await assert.rejects(refused, { code: 'secret.unresolved', cause: /named\.conf names the file [/~]/ });
    }
    await writeFile(
      named,
      '[drive]\nservice_account_file =\nservice_account_credentials = {"a": "b_file = /x"}\n',
    );
    assert.ok((await contentFor({ url: 'rclone:drive:depot', env })).files.has('rclone.conf'));
    await rm(at('.config', 'rclone', 'rclone.conf'), { force: true });
    await assert.rejects(contentFor({ url: 'rclone:hidden:depot' }), { code: 'secret.unresolved' });
  });

  it('is what a variable of rclone names: authorities, keys', async () => {
    await writeFile(at('ca.crt'), 'authority');
    const env = {
      RCLONE_CA_CERT: variable('HOLDFAST_TEST_CA', at('ca.crt')),
      RCLONE_CONFIG_DRIVE_TYPE: variable('HOLDFAST_TEST_TYPE', 'drive'),
      RCLONE_CONFIG_DRIVE_SERVICE_ACCOUNT_FILE: variable('HOLDFAST_TEST_KEY', at('key')),
    };
    const { files } = await contentFor({ url: 'rclone:drive:depot', env });
    assert.equal(files.get('rclone-ca.pem'), 'authority');
    assert.equal(files.get('rclone_config_drive_service_account_file'), 'a key');
    assert.ok(!files.get('environment')?.includes(folder), files.get('environment'));
  });

  it('is refused for an sftp repository whose ssh key or known hosts are not configured', async () => {
    await writeFile(at('known_hosts'), 'nas ssh-ed25519 AAAA');
    const url = 'sftp:backup@nas:/repo';
    const ssh = { identityFile: at('key'), knownHostsFile: at('known_hosts') };
    for (const partly of [
      undefined,
      { identityFile: ssh.identityFile },
      { knownHostsFile: ssh.knownHostsFile },
    ]) {
      const refused = contentFor({ url, ...(partly && { ssh: partly }) });
      await assert.rejects(refused, {
        code: 'secret.unresolved',
        hint: /ssh\.(identityFile|knownHostsFile)/,
      });
    }
    const { files } = await contentFor({ url, ssh });
    assert.equal(files.get('identity'), 'a key');
    assert.match(files.get('known_hosts') ?? '', /nas/);
  });

  it('is all that the commands of the sheet have in a drill: not the home of this host', async () => {
    const block = (headings: string[], text: string) => ({ headings, text });
    const facts = { tools: [], assets: [] } as unknown as OpenedKit['facts'];
    const blocks = [
      block(['Repository near', USE], 'echo ~'),
      block(['orders from near', 'Fetch'], 'echo "$HOME"'),
    ];
    const kit: OpenedKit = { file: 'f', sealedDigest: 's', digest: 'd', facts, blocks, folder: at('kit') };
    await mkdir(kit.folder);
    const asset = { name: 'orders' } as Parameters<typeof runSheet>[1]['asset'];
    const place = { asset, repository: 'near', titles: ['Fetch'] };
    const said = await runSheet(kit, place, { TARGET: folder, ROOT: folder }, makeStep());
    assert.equal(said.trim(), `${kit.folder}\n${kit.folder}`);
  });
});
