import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveTool } from '../../../tools/resolve.ts';
import { fails } from './repository-contract.ts';
import {
  bytesIn,
  digestOf,
  folderPart,
  labels,
  randomFiles,
  recordedStep,
  removeFolder,
  repositoryAt,
  temporaryFolder,
  until,
} from './repository-fixtures.ts';
import { targetContract } from './target-contract.ts';
import { freePort, startServer, type Server } from './target-servers.ts';

const env = { RESTIC_REST_USERNAME: 'depot', RESTIC_REST_PASSWORD: 'canary-rest-password' };

describe("restic's REST server, append-only", function () {
  this.timeout(180_000);
  let server: Server;
  let room: string;
  let port: number;
  let places = 0;
  const users = () => join(room, 'users');

  before(async () => {
    room = await temporaryFolder();
    port = await freePort();
    await writeUser(users(), env.RESTIC_REST_PASSWORD);
    const { path } = await resolveTool('rest-server');
    const options = ['--path', join(room, 'data'), '--listen', `127.0.0.1:${port}`, '--append-only'];
    server = await startServer(path, [...options, '--htpasswd-file', users()], port);
  });
  after(async () => {
    await server.stop();
    await removeFolder(room);
  });

  const place = () => {
    const name = `depot-${(places += 1)}`;
    const url = `rest:http://127.0.0.1:${port}/${name}/`;
    return Promise.resolve({ url, env, folder: join(room, 'data', name) });
  };

  targetContract("restic's REST server, append-only", place);

  describe('what it refuses', () => {
    let own: string;
    let tree: string;
    beforeEach(async () => {
      own = await temporaryFolder();
      tree = join(own, 'tree');
      await randomFiles(tree, 2, 200_000);
    });
    afterEach(() => removeFolder(own));
    const step = () => recordedStep();

    it('has a name of its own, with all points still there', async () => {
      const depot = await repositoryAt(await place(), own);
      await depot.ensure(step());
      const one = await depot.store(folderPart(tree), labels('one'), step());
      const error = await fails(() => depot.forget([one.snapshotId], step()), 'repository.appendOnly');
      assert.match(error.cause, /Remove\(<snapshot\/.*403/);
      assert.ok(!error.retryable && error.hint.includes('append-only'));
      assert.equal((await depot.snapshots({}, step())).length, 1);
      assert.equal((await depot.prune(step())).freedBytes, 0);
      await depot.check(step());
    });

    it('is refused at once when the password was changed, and a copy goes on with the new one', async () => {
      const target = await place();
      const folder = join(own, 'near');
      const near = await repositoryAt({ url: folder, env: {}, folder }, own, { name: 'near' });
      await near.ensure(step());
      const slow = { name: 'far', uploadLimitBytesPerSecond: 16_000_000 };
      const far = await repositoryAt(target, own, slow);
      await far.ensure(step(), near);
      const big = join(own, 'big');
      // More packs than restic sends at a time: some are still to come when the first ones have arrived.
      await randomFiles(big, 28, 4_000_000);
      const { snapshotId, path } = await near.store(folderPart(big), labels('big'), step());

      const copying = far.copyFrom(near, [snapshotId], step()).then(
        () => new Error('it was copied in spite of it'),
        (error: unknown) => error,
      );
      await until('some of it', async () => (await bytesIn(target)) > 16_000_000);
      const renewed = { ...env, RESTIC_REST_PASSWORD: 'canary-second-password' };
      await writeUser(users(), renewed.RESTIC_REST_PASSWORD);
      server.signal('SIGHUP');
      try {
        const error = await fails(async () => {
          throw await copying;
        }, 'repository.credentialsRefused');
        assert.ok(!error.retryable && !JSON.stringify(error.toContract()).includes('canary'));
        assert.match(error.cause, /401/);

        const again = await repositoryAt({ ...target, env: renewed }, own, { name: 'far' });
        assert.deepEqual(await again.snapshots({}, step()), [], 'half a point is none');
        await again.recover(step());
        const id = (await again.copyFrom(near, [snapshotId], step())).get(snapshotId);
        assert.ok((await bytesIn(target)) < 112_000_000 * 1.05);
        const restored = join(own, 'restored');
        assert.ok(id);
        const request = { snapshotId: id, path, target: restored, include: [], expectedBytes: null };
        await again.restore(request, step());
        assert.equal(await digestOf(restored), await digestOf(big));
      } finally {
        await writeUser(users(), env.RESTIC_REST_PASSWORD);
        server.signal('SIGHUP');
      }
    });
  });
});

/** With SHA-1, as `htpasswd -s` writes it. */
async function writeUser(file: string, password: string): Promise<void> {
  const digest = createHash('sha1').update(password).digest('base64');
  await writeFile(file, `${env.RESTIC_REST_USERNAME}:{SHA}${digest}\n`, { mode: 0o600 });
}
