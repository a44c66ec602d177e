import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WriteKit } from '../../activities/contract.ts';
import { kitNow } from '../../activities/kit/kit-facts.ts';
import { incidentFacts } from '../../workers/incident-facts.ts';
import { keepKitCurrent } from '../../workers/keep-kit-current.ts';
import { aConfiguration, aPoint, withCatalog } from '../catalog/fixture.ts';

// On a real catalogue; only the workflow that writes the files is played.

describe('keeping the recovery kit current', function () {
  this.timeout(120_000);
  const fixture = withCatalog();
  const kit = { recipients: [`age1${'q'.repeat(58)}`], folder: '/kit' };
  let dataDir: string;
  let asked: WriteKit[] = [];
  let now = new Date('2026-11-20T02:00:00Z');
  let fails = false;
  let look: () => Promise<void>;
  const later = (minutes: number) => (now = new Date(now.getTime() + minutes * 60_000));
  const actions = async () => {
    const { items } = await fixture.catalog.audit.list({ action: 'kit.' });
    return items.map(({ action }) => action).reverse();
  };

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-kit-'));
    await mkdir(join(dataDir, 'keys'));
    await newAuditKey();
    const { catalog } = fixture;
    look = keepKitCurrent({
      ...{ catalog, dataDir, now: () => now },
      write: async (input) => {
        asked.push(input);
        if (fails) throw new Error('a secret does not resolve');
        await record();
      },
    });
  });
  after(() => rm(dataDir, { recursive: true, force: true }));
  beforeEach(() => {
    asked = [];
    fails = false;
  });

  async function newAuditKey(): Promise<void> {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(join(dataDir, 'keys', 'audit-ed25519.key'), pem, { mode: 0o600 });
  }

  async function record() {
    const { digest, facts } = await kitNow({ catalog: fixture.catalog, dataDir });
    return fixture.catalog.kits.record({
      ...{ id: randomUUID(), writtenAt: now.toISOString(), digest, folder: '/kit' },
      ...{
        configuration: facts.configuration,
        sealedDigest: 's',
        sealedFor: ['age1…'],
        opened: ['far: file:k'],
      },
    });
  }

  it('writes none where nobody asked for one', async () => {
    await fixture.catalog.configurations.apply(aConfiguration());
    await look();
    assert.deepEqual([asked.length, await fixture.catalog.kits.newest()], [0, null]);
    await assert.rejects(fixture.catalog.kits.confirm(now.toISOString()), { code: 'notFound' });
  });

  it('writes the first one when it is configured, once, and it waits to be taken away', async () => {
    const { catalog } = fixture;
    const told = async () => (await incidentFacts(catalog, aConfiguration({ kit }), now)).kit;
    assert.equal(await told(), null);
    await catalog.configurations.apply(aConfiguration({ kit }));
    assert.equal((await told())?.writtenAt, null);
    await look();
    await look();
    assert.equal((await told())?.writtenAt, now.toISOString());
    assert.deepEqual(
      asked.map(({ asked: byPerson, recipients }) => [byPerson, recipients]),
      [[false, []]],
    );
    assert.equal((await fixture.catalog.kits.newest())?.confirmedAt, null);
    await fixture.catalog.as('alice').kits.confirm(now.toISOString());
    assert.equal((await fixture.catalog.kits.newest())?.confirmedBy, 'alice');
  });

  it('writes it anew after an apply at once, and after a rotated audit key within its time', async () => {
    later(1);
    await fixture.catalog.configurations.apply(aConfiguration({ kit, policies: [] }));
    await look();
    assert.equal(asked.length, 1);
    await newAuditKey();
    await look();
    assert.equal(asked.length, 1);
    later(11);
    await look();
    assert.equal(asked.length, 2);
  });

  it('does not care for a new point in the same place', async () => {
    await fixture.catalog.points.record(aPoint({ asset: 'uploads', assetType: 'directory' }), null);
    later(11);
    await look();
    assert.equal(asked.length, 0);
  });

  it('says that it is outdated before it tries, so that a key that does not resolve is seen', async () => {
    fails = true;
    later(1);
    await fixture.catalog.configurations.apply(aConfiguration({ kit }));
    await assert.rejects(look());
    assert.notEqual((await fixture.catalog.kits.newest())?.outdatedAt, null);
    await assert.rejects(fixture.catalog.kits.confirm(now.toISOString()), { code: 'request.conflict' });
    fails = false;
    later(11);
    await look();
    assert.equal((await fixture.catalog.kits.newest())?.outdatedAt, null);
    assert.deepEqual((await actions()).slice(0, 4), [
      'kit.written',
      'kit.confirmed',
      'kit.outdated',
      'kit.written',
    ]);
    assert.equal((await fixture.catalog.audit.verify()).ok, true);
  });

  it('tries what failed again after a pause, or when something else is to be written', async () => {
    fails = true;
    later(1);
    await fixture.catalog.configurations.apply(aConfiguration({ kit, policies: [] }));
    await assert.rejects(look());
    later(9);
    await look();
    assert.equal(asked.length, 1);
    later(2);
    await assert.rejects(look());
    assert.equal(asked.length, 2);
    later(1);
    await fixture.catalog.configurations.apply(aConfiguration({ kit }));
    await assert.rejects(look());
    assert.equal(asked.length, 3);
  });
});
