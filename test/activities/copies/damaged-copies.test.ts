import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { withCatalog } from '../../catalog/fixture.ts';
import { bytesIn, filesBelow, flipByte, packsIn, recordedStep } from '../repositories/repository-fixtures.ts';
import { travellingAsset, type TravellingAsset } from './travelling-asset.ts';

describe('a copy', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  let asset: TravellingAsset;
  const place = () => ({ url: '', env: {}, folder: asset.at('offsite') });

  beforeEach(async () => {
    asset = await travellingAsset(fixture);
  });
  afterEach(() => asset.close());

  for (const [what, breaks] of [
    ['with a flipped bit', flipByte],
    ['of which a storage file is gone', (path: string) => rm(path, { force: true })],
  ] as const) {
    it(`${what} is marked, and sent again by the next sync, without what is whole`, async () => {
      const older = await asset.backUp(2, 400_000);
      const newer = await asset.backUp(2, 400_000);
      assert.equal(await asset.sync(), null);
      const [pack] = await packsIn(place());
      await breaks(pack ?? '');
      const read = [await asset.readBack(older), await asset.readBack(newer)];
      assert.deepEqual(read.map((failure) => failure?.code ?? 'whole').sort(), [
        'repository.damaged',
        'whole',
      ]);
      const [hurt, whole] = read[0] ? [older, newer] : [newer, older];
      assert.deepEqual(await asset.copies(hurt), ['local stored', 'offsite damaged']);
      assert.deepEqual(await asset.due(), [{ asset: 'uploads', point: hurt, damaged: true }]);

      const [before] = await asset.snapshots(whole);
      assert.equal(await asset.sync(), null);
      assert.deepEqual(await asset.copies(hurt), ['local stored', 'offsite stored']);
      assert.equal(await asset.readBack(hurt), null);
      assert.ok(await asset.restores(hurt));
      assert.ok(await asset.restores(whole));
      assert.deepEqual(await asset.snapshots(whole), [before], 'what is whole was left alone');
      assert.equal((await asset.snapshots(hurt)).length, 1);
      assert.ok((await bytesIn(place())) < 2_700_000, 'what was not lost is not sent again');
      assert.deepEqual(await asset.due(), []);
    });
  }

  it('that was damaged and left every list before restic forgot it, is not taken for the new one', async () => {
    const point = await asset.backUp();
    assert.equal(await asset.sync(), null);
    const [pack] = await packsIn(place());
    await flipByte(pack ?? '');
    assert.equal((await asset.readBack(point))?.code, 'repository.damaged');
    const { catalog } = asset.deployment;
    await catalog.damagedCopies.withdraw({ jobId: randomUUID(), point, from: 'local', to: 'offsite' });
    assert.deepEqual(await asset.copies(point), ['local stored']);
    assert.equal((await asset.snapshots(point)).length, 1, 'it is still there');
    assert.equal(await asset.sync(2), null);
    assert.equal((await asset.snapshots(point)).length, 1);
    assert.equal(await asset.readBack(point), null);
    assert.ok(await asset.restores(point));
  });

  it('that was damaged stays where what it would be replaced by does not read back either, or somebody holds it', async () => {
    const point = await asset.backUp();
    assert.equal(await asset.sync(), null);
    const [pack] = await packsIn(place());
    await flipByte(pack ?? '');
    assert.equal((await asset.readBack(point))?.code, 'repository.damaged');
    const [before] = await asset.snapshots(point);
    const { holds } = asset.deployment.catalog;
    const hold = { kind: 'legal', owner: 'anna', reason: 'case 12' } as const;
    await holds.place(point, hold);
    assert.match((await asset.sync(2))?.cause ?? '', /anna holds the point: case 12/);
    await holds.release(point, 'closed', 'anna');
    for (const path of await packsIn({ ...place(), folder: asset.at('local') })) await flipByte(path);
    const failure = await asset.sync(3);
    assert.equal(failure?.code, 'repository.damaged');
    assert.match(failure?.cause ?? '', /does not read back in local either/);
    assert.deepEqual(await asset.snapshots(point), [before], 'the damaged copy was taken away');
    assert.deepEqual(await asset.copies(point), ['local stored', 'offsite damaged']);
  });

  it('that a person has taken away does not come back, and is not waited for', async () => {
    const point = await asset.backUp();
    assert.equal(await asset.sync(), null);
    const catalog = asset.deployment.catalog.as('anna');
    await catalog.removals.begin(point, ['offsite'], 'mistaken');
    const repository = await asset.deployment.openRepository(
      (await catalog.configurations.current())!.configuration,
      'offsite',
    );
    await repository.forget(await asset.snapshots(point), recordedStep());
    await catalog.removals.copyGone(point, 'offsite', 'mistaken');
    assert.deepEqual(await asset.due(), []);
    assert.equal((await asset.state()).lagPoints, 0);
    const next = await asset.backUp();
    assert.deepEqual(await asset.due(), [{ asset: 'uploads', point: next }]);
  });

  it('of several parts of which one arrived is none, and is finished without sending that one again', async () => {
    const [one, two] = [await asset.backUp(), await asset.backUp()];
    const { catalog } = asset.deployment;
    const parts = await Promise.all(
      [one, two].map(async (id) => (await catalog.points.find(id)).copies[0]?.parts[0]),
    );
    const [dump, globals] = [
      { ...parts[0]!, name: 'dump' },
      { ...parts[1]!, name: 'globals' },
    ];
    const artifactId = `${dump.snapshotId}+${globals.snapshotId}`;
    const storedAt = new Date().toISOString();
    await catalog.points.recordCopy(one, {
      repository: 'local',
      artifactId,
      parts: [dump, globals],
      storedAt,
    });
    await fixture.sql('delete from point_copies where point_id = $1', [two]);

    const { configuration } = (await catalog.configurations.current())!;
    const [near, far] = await Promise.all(
      ['local', 'offsite'].map((name) => asset.deployment.openRepository(configuration, name)),
    );
    await far!.ensure(recordedStep(), near);
    // As it is killed: the data comes last.
    const arrived = await far!.copyFrom(near!, [globals.snapshotId], recordedStep());
    const before = await bytesIn(place());
    assert.deepEqual(await asset.copies(one), ['local stored'], 'half a point is in no list');
    assert.equal(await asset.sync(2), null);
    assert.deepEqual(await asset.copies(one), ['local stored', 'offsite stored']);
    const copied = (await catalog.points.find(one)).copies.find(({ repository }) => repository === 'offsite');
    assert.deepEqual(
      copied?.parts.map(({ name }) => name),
      ['dump', 'globals'],
    );
    assert.equal(copied?.parts[1]?.snapshotId, arrived.get(globals.snapshotId));
    assert.equal((await far!.snapshots({}, recordedStep())).length, 2);
    assert.ok((await bytesIn(place())) - before < 700_000);
  });

  it('in a repository made with other chunker parameters says so, and is looked at once', async () => {
    const { catalog, openRepository } = asset.deployment;
    const { configuration } = (await catalog.configurations.current())!;
    await (await openRepository(configuration, 'offsite')).ensure(recordedStep());
    const point = await asset.backUp();
    const warned = async () => {
      const { items } = await catalog.jobs.list({ limit: 1 });
      const events = await catalog.jobEvents.list(items[0]?.id ?? '');
      return events.items.filter(({ message }) =>
        /offsite was made with chunker parameters of its own/.test(message),
      );
    };
    assert.equal(await asset.sync(), null);
    assert.equal((await warned()).length, 1);
    const looks = () =>
      fixture.sql('select xmin::text, what, found from repository_looks order by repository');
    const [seen] = [await looks()];
    assert.deepEqual(
      seen.map(({ what }) => what),
      ['chunker', 'chunker'],
    );
    await asset.backUp();
    assert.equal(await asset.sync(), null);
    assert.deepEqual(await looks(), seen, 'known from the first time');
    assert.equal((await warned()).length, 1, 'said in each run');
    assert.ok(await asset.restores(point));
  });

  it('whose source is gone stays as it is, and nothing empty is made in its place', async () => {
    const point = await asset.backUp();
    assert.equal(await asset.sync(), null);
    await asset.backUp();
    await rename(asset.at('local'), asset.at('unmounted'));
    const failure = await asset.sync();
    assert.equal(failure?.code, 'repository.absent');
    assert.match(failure?.message ?? '', /there is no repository at .*local \(local\)/);
    assert.equal((await asset.state()).lastStatus, 'failed');
    assert.deepEqual(await filesBelow(asset.at('local')), []);
    assert.deepEqual(await asset.copies(point), ['local stored', 'offsite stored']);
    assert.ok(await asset.restores(point));
  });

  it('with another password is said to have one, and nothing is sent', async () => {
    const point = await asset.backUp();
    assert.equal(await asset.sync(), null);
    await asset.backUp();
    const before = await bytesIn(place());
    await writeFile(asset.at('offkey'), 'changed');
    const failure = await asset.sync();
    assert.equal(failure?.code, 'repository.wrongPassword');
    assert.equal((await asset.state()).error?.code, 'repository.wrongPassword');
    assert.equal(await bytesIn(place()), before);
    await writeFile(asset.at('offkey'), 'another');
    assert.equal(await asset.sync(), null);
    assert.ok(await asset.restores(point));
  });
});
