import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createBackupSteps } from '../../../activities/backup-steps.ts';
import { createProofSteps } from '../../../activities/proof-steps.ts';
import { createRestoreSteps } from '../../../activities/restore-steps.ts';
import { aJob, withCatalog } from '../../catalog/fixture.ts';
import { resticTool } from '../repositories/repository-fixtures.ts';
import { travellingAsset, type TravellingAsset } from './travelling-asset.ts';

describe('a backup after folders of the one before were lost in the repository', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let asset: TravellingAsset;

  beforeEach(async () => {
    asset = await travellingAsset(fixture);
    for (const name of ['one', 'two']) {
      await mkdir(asset.at('asset', name));
      await writeFile(asset.at('asset', name, 'file'), name.repeat(1000));
    }
  });
  afterEach(() => asset.close());

  const run = <I, O>(step: (input: I) => Promise<O>, input: I): Promise<O> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<[I], O, typeof step>(
      step,
      input,
    );

  async function begun() {
    const { catalog } = asset.deployment;
    const { digest } = (await catalog.configurations.current())!;
    const startedAt = new Date().toISOString();
    const { id: jobId } = await catalog.jobs.begin(aJob({ assets: ['uploads'], startedAt }));
    await catalog.jobs.setAsset(jobId, 'uploads', { status: 'running' });
    return { jobId, configuration: digest, policy: 'daily', asset: 'uploads' };
  }

  async function backUp() {
    const { snapshotAsset } = createBackupSteps(asset.deployment);
    const scope = { ...(await begun()), fences: [], point: randomUUID() };
    const { partial } = await run(snapshotAsset, { ...scope, repository: 'local', manifest: false });
    return { point: scope.point, partial };
  }

  const restic = async (...words: string[]) => {
    const { path } = await resticTool();
    const env = { RESTIC_REPOSITORY: asset.at('local'), RESTIC_PASSWORD_FILE: asset.at('key') };
    return (await execa(path, [...words, '--no-cache'], { env })).stdout;
  };

  /** Every storage file that has such a thing in it, as restic's index tells; a folder by default. */
  async function loseFolders(kind = 'tree', isOne = (_id: string) => true): Promise<number> {
    let lost = 0;
    for (const id of (await restic('list', 'index')).split('\n')) {
      const { packs } = JSON.parse(await restic('cat', 'index', id)) as {
        packs: { id: string; blobs: { id: string; type: string }[] }[];
      };
      for (const pack of packs.filter(({ blobs }) =>
        blobs.some(({ id, type }) => type === kind && isOne(id)),
      )) {
        await rm(asset.at('local', 'data', pack.id.slice(0, 2), pack.id));
        lost += 1;
      }
    }
    return lost;
  }

  it('says that the repository is what cannot be read, where nobody has found that out', async () => {
    await backUp();
    await loseFolders();
    await rm(asset.at('data', 'cache'), { recursive: true });
    const { partial } = await backUp();
    assert.match(partial?.hint ?? '', /the repository has lost a part of/, partial?.cause);
    assert.doesNotMatch(partial?.hint ?? '', /grant the account/);
  });

  it('is whole, as it compares with nothing that is gone', async () => {
    const { point } = await backUp();
    assert.ok((await loseFolders()) > 0);
    const { verifyPoints } = createProofSteps(asset.deployment);
    await assert.rejects(run(verifyPoints, { ...(await begun()), points: [point], repository: 'local' }), {
      type: 'repository.damaged',
    });
    const next = await backUp();
    assert.equal(next.partial, null);
    await run(verifyPoints, { ...(await begun()), points: [next.point], repository: 'local' });
    assert.equal((await asset.deployment.catalog.points.find(next.point)).proof, 'verified');
  });

  it('sends files again whose parts the index lacks, and does not call them unreadable', async () => {
    await backUp();
    assert.ok((await loseFolders('data')) > 0);
    await restic('repair', 'index');
    const { point, partial } = await backUp();
    assert.equal(partial, null);
    const { verifyPoints } = createProofSteps(asset.deployment);
    await run(verifyPoints, { ...(await begun()), points: [point], repository: 'local' });
  });

  it('is not believed where a folder below the top is lost: its safety point would lack that one', async () => {
    await backUp();
    await writeFile(asset.at('asset', 'one', 'file'), 'changed');
    const { point } = await backUp();
    const { copies } = await asset.deployment.catalog.points.find(point);
    const { snapshotId, path } = copies[0]!.parts[0]!;
    const words = await restic('cat', 'tree', `${snapshotId}:${path}`);
    const { nodes } = JSON.parse(words) as { nodes: { name: string; subtree: string }[] };
    const unchanged = nodes.find(({ name }) => name === 'two')?.subtree;
    assert.ok((await loseFolders('tree', (id) => id === unchanged)) > 0);
    await rm(asset.at('data', 'cache'), { recursive: true });
    const { takeSafetyPoint } = createRestoreSteps(asset.deployment);
    const { configuration } = await begun();
    const plan = {
      ...{ restoreId: 'r-2', configuration, asset: 'uploads', point, include: [], to: null, fences: [] },
      ...{ repository: 'local', safetyRepository: 'local', hostQueue: 'host', bytes: 1000 },
    };
    await assert.rejects(run(takeSafetyPoint, { ...plan, safetyPoint: randomUUID() }), {
      type: 'repository.damaged',
    });
  });

  it('is not what a safety point waits for: the repository is repaired for it, and it is whole', async () => {
    const { point } = await backUp();
    assert.ok((await loseFolders()) > 0);
    const { verifyPoints } = createProofSteps(asset.deployment);
    const read = async (id: string) =>
      run(verifyPoints, { ...(await begun()), points: [id], repository: 'local' });
    await assert.rejects(read(point), { type: 'repository.damaged' });
    const { repairForSafety, takeSafetyPoint } = createRestoreSteps(asset.deployment);
    const { configuration } = await begun();
    const plan = {
      ...{ restoreId: 'r-1', configuration, asset: 'uploads', point, include: [], to: null, fences: [] },
      ...{ repository: 'local', safetyRepository: 'local', hostQueue: 'host', bytes: 1000 },
    };
    const safetyPoint = randomUUID();
    await assert.rejects(run(takeSafetyPoint, { ...plan, safetyPoint }), { type: 'repository.damaged' });
    await run(repairForSafety, plan);
    assert.equal(await run(takeSafetyPoint, { ...plan, safetyPoint }), safetyPoint);
    await read(safetyPoint);
  });
});
