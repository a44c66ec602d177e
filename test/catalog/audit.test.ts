import assert from 'node:assert/strict';
import { sha256 } from '../../catalog/audit.ts';
import { openCatalog, verifyExport } from '../../catalog/index.ts';
import { digestOf, type AuditEvent } from '../../domain/audit-chain.ts';
import { runSql, withCatalog } from './fixture.ts';

describe('the audit chain in PostgreSQL', () => {
  const fixture = withCatalog();

  const write = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        fixture.catalog.audit.append({
          action: 'test',
          subject: `number/${index}`,
          details: { index, b: 1.5, a: [null, 'ü'] },
        }),
      ),
    );

  /** Does to the chain what only the owner can, and undoes it afterwards. */
  async function tampered(
    statement: string,
  ): Promise<Awaited<ReturnType<typeof fixture.catalog.audit.verify>>> {
    const triggers = 'audit_events disable trigger user';
    await fixture.sql(`create table kept as select * from audit_events`);
    try {
      await fixture.sql(`alter table ${triggers}; ${statement}`);
      return await fixture.catalog.audit.verify();
    } finally {
      await fixture.sql(
        `truncate audit_events; insert into audit_events select * from kept; drop table kept;
         alter table audit_events enable trigger user`,
      );
    }
  }

  it('puts 50 events written at once one after another', async () => {
    await write(50);
    const report = await fixture.catalog.audit.verify();
    assert.deepEqual([report.ok, report.events, report.problem], [true, 50, null]);
    const rows = await fixture.sql<{ gaps: string }>(
      `select count(*) as gaps from audit_events as one
        where sequence > 1 and not exists (
          select from audit_events as other where other.sequence = one.sequence - 1 and other.digest = one.previous)`,
    );
    assert.equal(rows[0]?.gaps, '0');
  });

  it('finds an edited event and says which', async () => {
    const report = await tampered(`update audit_events set actor = 'nobody' where sequence = 20`);
    assert.equal(report.ok, false);
    assert.equal(report.problem?.sequence, 20);
    assert.match(report.problem.what, /edited/);
  });

  it('finds an event whose details were edited', async () => {
    const report = await tampered(
      `update audit_events set details = jsonb_set(details, '{index}', '999') where sequence = 7`,
    );
    assert.equal(report.problem?.sequence, 7);
  });

  it('finds a deleted event', async () => {
    const report = await tampered('delete from audit_events where sequence = 20');
    assert.equal(report.problem?.sequence, 20);
    assert.match(report.problem.what, /event 20 is missing/);
  });

  it('finds that the first or the last events were deleted', async () => {
    assert.equal((await tampered('delete from audit_events where sequence <= 2')).problem?.sequence, 1);
    const report = await tampered('delete from audit_events where sequence >= 48');
    assert.equal(report.problem?.sequence, 48);
    assert.match(report.problem.what, /the end is missing/);
  });

  it('finds two events that changed places', async () => {
    const report = await tampered(
      `update audit_events set sequence = -1 where sequence = 30;
       update audit_events set sequence = 30 where sequence = 31;
       update audit_events set sequence = 31 where sequence = -1`,
    );
    assert.equal(report.problem?.sequence, 30);
  });

  it('finds an edited event whose digest was made to fit', async () => {
    const [event] = await fixture.sql<AuditEvent>(
      `select sequence::int, at, actor, action, subject, details, previous, digest from audit_events where sequence = 20`,
    );
    assert.ok(event);
    const at = new Date(event.at).toISOString();
    assert.equal(
      digestOf({ ...event, at }, sha256),
      event.digest,
      'the test makes digests as the catalogue does',
    );
    const digest = digestOf({ ...event, at, actor: 'nobody' }, sha256);
    const report = await tampered(
      `update audit_events set actor = 'nobody', digest = '${digest}' where sequence = 20`,
    );
    assert.equal(report.problem?.sequence, 21);
    assert.match(report.problem.what, /does not follow/);
  });

  for (const statement of [
    `update audit_events set actor = 'x'`,
    'delete from audit_events',
    'truncate audit_events',
    `update audit_head set sequence = 0`,
    'alter table audit_events disable trigger user',
    'drop table jobs',
    `insert into migrations (name, run_on) values ('x', now())`,
  ]) {
    it(`refuses the application: ${statement}`, async () => {
      // By its rights, before any trigger is asked.
      await assert.rejects(runSql(fixture.applicationUrl, statement), /permission denied|must be owner/);
    });
  }

  for (const statement of [
    `update audit_events set actor = 'x'`,
    'delete from audit_events where sequence = 1',
    'truncate audit_events',
    'update audit_head set sequence = 0',
    'delete from audit_head',
  ]) {
    it(`refuses even the owner while the triggers are on: ${statement}`, async () => {
      await assert.rejects(fixture.sql(statement), /the audit chain is only ever added to/);
    });
  }

  it('refuses an event that does not follow the last one', async () => {
    await assert.rejects(
      fixture.sql(
        `insert into audit_events values (9999, now(), 'x', 'x', 'x', '{}', repeat('0', 64), repeat('1', 64))`,
      ),
      /does not follow the end of the chain/,
    );
  });

  it('is not fooled by a temporary table in the place of the head', async () => {
    await runSql(
      fixture.applicationUrl,
      `create temporary table audit_head as select * from holdfast.audit_head;
       do $$
       declare last bigint := (select sequence from holdfast.audit_head);
       begin
         insert into holdfast.audit_events
           select sequence + 1, now(), 'x', 'x', 'x', '{}', digest, 'y' from holdfast.audit_head;
         if (select sequence from holdfast.audit_head) <> last + 1 then
           raise exception 'the head did not move';
         end if;
         raise exception 'undone';
       end $$`,
    ).then(
      () => assert.fail('the block ends by raising'),
      (error: Error) => assert.equal(error.message, 'undone'),
    );
  });

  it('names who acted', async () => {
    await fixture.catalog.as('token/anna').audit.append({ action: 'looked', subject: 'x', details: {} });
    const { items } = await fixture.catalog.audit.list({ action: 'looked' });
    assert.deepEqual(
      items.map((event) => event.actor),
      ['token/anna'],
    );
  });

  it('lists newest first, page by page', async () => {
    const first = await fixture.catalog.audit.list({ action: 'test', limit: 30 });
    const second = await fixture.catalog.audit.list({ action: 'test', limit: 30, cursor: first.next });
    const sequences = [...first.items, ...second.items].map((event) => event.sequence);
    assert.deepEqual(
      sequences,
      sequences.toSorted((left, right) => right - left),
    );
    assert.equal(new Set(sequences).size, 50);
    assert.equal(second.next, null);
  });

  it('keeps words PostgreSQL cannot store, and they still verify', async () => {
    await fixture.catalog.audit.append({
      action: 'odd',
      subject: 'a\0b',
      details: { 'k\0': ['\ud800', '\u{1f600}', 1e21, -0, 1e-7, 0.1] },
    });
    const { items } = await fixture.catalog.audit.list({ action: 'odd' });
    assert.equal(items[0]?.subject, 'a\ufffdb');
    assert.deepEqual(items[0]?.details, { 'k\ufffd': ['\ufffd', '\u{1f600}', 1e21, 0, 1e-7, 0.1] });
    assert.equal((await fixture.catalog.audit.verify()).ok, true);
  });

  it('verifies what was exported without the catalogue', async () => {
    const lines: string[] = [];
    for await (const event of fixture.catalog.audit.stream()) lines.push(JSON.stringify(event));
    const { head } = await fixture.catalog.audit.verify();
    assert.equal(verifyExport(lines, [head]).ok, true);
    assert.equal(verifyExport(lines.slice(0, -1), [head]).ok, false);
    assert.equal(
      verifyExport(lines.with(4, lines[4]?.replace('"test"', '"best"') ?? '')).problem?.sequence,
      5,
    );
  });

  it('goes on where it was when the catalogue is opened again', async () => {
    const again = await openCatalog({ url: fixture.applicationUrl });
    await again.audit.append({ action: 'again', subject: 'x', details: {} });
    assert.equal((await again.audit.verify()).ok, true);
    await again.close();
  });

  it('is listed by who, what, about what and when, page by page', async () => {
    const { catalog } = fixture;
    for (const [actor, action, subject] of [
      ['anna', 'filter.one', 'filtered/1'],
      ['bert', 'filter.two', 'filtered/1'],
      ['anna', 'filter_two', 'filtered/11'],
    ] as const)
      await catalog.as(actor).audit.append({ action, subject, details: {} });
    const found = async (filter: Parameters<typeof catalog.audit.list>[0]) =>
      (await catalog.audit.list(filter)).items.map(({ action }) => action);
    assert.deepEqual(await found({ action: 'filter.' }), ['filter.two', 'filter.one']);
    assert.deepEqual(await found({ action: 'filter_' }), ['filter_two'], 'not a pattern');
    assert.deepEqual(await found({ subject: 'filtered/1', actor: 'anna' }), ['filter.one']);
    const [last] = (await catalog.audit.list({ action: 'filter' })).items;
    assert.ok((await found({ since: last?.at ?? '' })).includes('filter_two'));
    assert.ok(!(await found({ until: last?.at ?? '' })).includes('filter_two'));
    assert.deepEqual(await found({ action: 'filter', since: '2999-01-01T00:00:00Z' }), []);
    const first = await catalog.audit.list({ action: 'filter', limit: 2 });
    const rest = await catalog.audit.list({ action: 'filter', limit: 2, cursor: first.next });
    assert.deepEqual([first.items.length, rest.items.length, rest.next], [2, 1, null]);
  });
});
