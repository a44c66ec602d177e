import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../activities/run-command.ts';
import { resolveTool } from '../../../tools/resolve.ts';
import { fails } from './repository-contract.ts';
import { recordedStep, removeFolder, repositoryAt, temporaryFolder } from './repository-fixtures.ts';
import { targetContract } from './target-contract.ts';
import { freePort, startServer, type Server } from './target-servers.ts';

describe('restic over SFTP', function () {
  this.timeout(180_000);
  let server: Server;
  let room: string;
  let port: number;
  let places = 0;
  /** With a blank in every path. */
  const keys = () => join(room, 'the keys');
  const ssh = () => ({ identityFile: join(keys(), 'user'), knownHostsFile: join(keys(), 'known hosts') });

  before(async () => {
    room = await temporaryFolder();
    port = await freePort();
    await mkdir(keys());
    for (const name of ['host', 'user', 'stranger']) await newKey(join(keys(), name));
    await copyFile(join(keys(), 'user.pub'), join(room, 'authorized'));
    const hostKey = await readFile(join(keys(), 'host.pub'), 'utf8');
    await writeFile(ssh().knownHostsFile, `[127.0.0.1]:${port} ${hostKey}`);
    // Only a server of root's separates its privileges there.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    const { path } = await resolveTool('sshd');
    const settings = [
      `ListenAddress=127.0.0.1:${port}`,
      `HostKey="${join(keys(), 'host')}"`,
      `AuthorizedKeysFile=${join(room, 'authorized')}`,
      'AuthenticationMethods=publickey',
      'UsePAM=no',
      'StrictModes=no',
      'PermitRootLogin=prohibit-password',
      'PidFile=none',
      'Subsystem=sftp internal-sftp',
    ];
    const options = settings.flatMap((setting) => ['-o', setting]);
    server = await startServer(path, ['-D', '-e', '-f', '/dev/null', ...options], port);
  });
  after(async () => {
    await server.stop();
    await removeFolder(room);
  });

  const place = () => {
    const folder = join(room, `depot-${(places += 1)}`);
    const url = `sftp://${userInfo().username}@127.0.0.1:${port}/${folder}`;
    return Promise.resolve({ url, env: {}, folder, options: { ssh: ssh() } });
  };

  targetContract('SFTP', place);

  describe('that is not trusted', () => {
    let own: string;
    beforeEach(async () => {
      own = await temporaryFolder();
    });
    afterEach(() => removeFolder(own));
    const askedWith = async (changed: Partial<ReturnType<typeof ssh>>) => {
      const repository = await repositoryAt(await place(), own, { ssh: { ...ssh(), ...changed } });
      return () => repository.ensure(recordedStep());
    };

    it('gets nothing when its host key is another', async () => {
      const other = join(own, 'known');
      await writeFile(other, `[127.0.0.1]:${port} ${await readFile(join(keys(), 'stranger.pub'), 'utf8')}`);
      const error = await fails(await askedWith({ knownHostsFile: other }), 'repository.untrusted');
      assert.match(error.cause, /host key verification failed/i);
      assert.ok(!error.retryable);
    });

    it('gets nothing when its host is not known', async () => {
      const empty = join(own, 'known');
      await writeFile(empty, '');
      await fails(await askedWith({ knownHostsFile: empty }), 'repository.untrusted');
    });

    it('says that our key is refused', async () => {
      const identityFile = join(keys(), 'stranger');
      await fails(await askedWith({ identityFile }), 'repository.credentialsRefused');
    });
  });
});

async function newKey(path: string): Promise<void> {
  const args = ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path];
  const { exitCode, stderr } = await runCommand(
    { tool: 'ssh-keygen', file: 'ssh-keygen', args },
    recordedStep(),
  );
  assert.equal(exitCode, 0, stderr);
}
