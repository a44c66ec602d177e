import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { witnessed } from '../../activities/key-witness.ts';
import { resolveSecret } from '../../activities/secrets.ts';
import { aJob, withCatalog } from '../catalog/fixture.ts';
import { removeFolder, temporaryFolder } from './repositories/repository-fixtures.ts';

describe('the use of secrets', () => {
  const fixture = withCatalog();
  let room: string;
  let key: string;
  before(async () => {
    room = await temporaryFolder();
    key = join(room, 'key');
    await writeFile(key, 'canary-8a1c');
    await chmod(key, 0o600);
  });
  after(() => removeFolder(room));

  it('is on the chain once for each job and secret, and never the value', async () => {
    const { keyUses, jobs, audit } = fixture.catalog;
    const { id } = await jobs.begin(aJob());
    const step = () =>
      witnessed(
        (reference) => keyUses.record(`job/${id}`, reference),
        async () => {
          await Promise.all([resolveSecret(`file:${key}`), resolveSecret(`file:${key}`)]);
          await resolveSecret('cmd:printf canary-8a1c');
        },
      );
    await step();
    await step();
    const { items } = await audit.list({ subject: `job/${id}`, action: 'secret.used' });
    assert.deepEqual(
      items.map(({ details }) => details['reference']),
      ['cmd:printf', `file:${key}`],
    );
    assert.ok(!JSON.stringify(items).includes('canary-8a1c'));
  });

  it('waits for the chain: what cannot be written down is not read', async () => {
    let readings = 0;
    const unreachable = async () => {
      readings += 1;
      throw new Error('the catalogue is away');
    };
    await assert.rejects(
      witnessed(unreachable, async () => {
        await resolveSecret(`file:${key}`).catch(() => undefined);
        await resolveSecret(`file:${key}`);
      }),
      /away/,
    );
    assert.equal(readings, 2, 'tried again by the next reading');
  });

  it('of two jobs at once is told apart', async () => {
    const told: string[] = [];
    const work = (name: string) =>
      witnessed(
        async (reference) => void told.push(`${name} ${reference}`),
        () => resolveSecret(`file:${key}`),
      );
    await Promise.all([work('one'), work('two')]);
    assert.deepEqual(told.sort(), [`one file:${key}`, `two file:${key}`]);
  });
});
