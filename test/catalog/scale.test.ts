import assert from 'node:assert/strict';
import { Client } from 'pg';
import { catalogueQuestions } from '../../bench/catalogue-questions.ts';
import { seedCatalogue, seededConfiguration } from '../../bench/catalogue-seed.ts';
import { explaining, type Explained } from '../../bench/explained.ts';
import { connect, type Connection, type Query } from '../../catalog/connection.ts';
import { aConfiguration, withCatalog } from './fixture.ts';

/** The bench in small: what is asked of a large catalogue is answered from indexes (npm run bench:scale has the times). */
describe('a catalogue with many points', function () {
  this.timeout(180_000);
  const fixture = withCatalog();
  const size = { policies: 20, points: 6_000 };
  let connection: Connection;

  before(async () => {
    await fixture.catalog.configurations.apply(seededConfiguration(size, aConfiguration()));
    const client = new Client({ connectionString: fixture.ownerUrl, options: '-c search_path=holdfast' });
    await client.connect();
    await seedCatalogue((text) => client.query(text), size);
    await client.end();
    connection = await connect(fixture.applicationUrl, { waitSeconds: 15 });
  });
  after(() => connection?.close());

  /** Of a few thousand rows a scan can be the cheapest; where there is no index, one is left all the same. */
  const asked = (name: string, work: (query: Query) => Promise<unknown>) =>
    connection.read(name, async (query) => {
      await query('set enable_seqscan = off');
      await work(query);
    });

  /** They grow with the points; the other tables with the policies, or are a day's rows. */
  const growing = ['recovery_points', 'point_copies', 'jobs', 'job_assets', 'measured_durations'];

  it('reads none of the growing tables from end to end', async () => {
    for (const { name, queries } of catalogueQuestions(fixture.catalog)) {
      const seen: Explained[] = [];
      await asked(name, (query) => queries(explaining(query, seen)));
      assert.ok(seen.length > 0);
      const whole = seen.flatMap(({ sequential }) => sequential).filter((table) => growing.includes(table));
      assert.deepEqual(whole, [], name);
    }
  });

  it('would notice one that is', async () => {
    const seen: Explained[] = [];
    await asked('counting', (query) =>
      explaining(query, seen)('select sum(bytes) from recovery_points where added_bytes > 0'),
    );
    assert.deepEqual(seen[0]?.sequential, ['recovery_points']);
  });

  it('answers with what is in it', async () => {
    const questions = catalogueQuestions(fixture.catalog);
    const report = (await questions.find(({ name }) => name === 'status, whole')?.ask()) as {
      assets: { successRates: { backups: { days30: { rate: number } } }; errorBudget: unknown }[];
    };
    assert.equal(report.assets.length, 20);
    assert.ok(report.assets.every(({ errorBudget }) => errorBudget !== null));
    const rate = report.assets[0]?.successRates.backups.days30.rate ?? 0;
    assert.ok(rate > 0.95 && rate < 1, `${rate}`);
  });
});
