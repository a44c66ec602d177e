import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditKey } from '../../api/wiring/audit-key.ts';
import { auditServices } from '../../api/wiring/audit.ts';
import type { Parts } from '../../api/wiring/parts.ts';
import { checkFile } from '../../cli/audit-file.ts';
import type { ExportReport } from '../../domain/audit-export.ts';
import { withCatalog } from '../catalog/fixture.ts';

describe('the key that signs audit exports', () => {
  const fixture = withCatalog();
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
  });
  after(() => rm(dataDir, { recursive: true }));

  const keys = () => join(dataDir, 'keys');
  const file = () => join(keys(), 'audit-ed25519.key');
  const open = () => openAuditKey(dataDir, fixture.catalog);
  const chained = async () =>
    (await fixture.catalog.audit.list({ action: 'audit.key' })).items.map(({ action }) => action).reverse();

  async function exported(name: string): Promise<string> {
    const { exportAudit } = auditServices({
      catalog: fixture.catalog,
      auditKey: await open(),
    } as unknown as Parts);
    let text = '';
    for await (const line of exportAudit({ name: 'anna', role: 'viewer' }))
      text += `${JSON.stringify(line)}\n`;
    const path = join(dataDir, name);
    await writeFile(path, text);
    return path;
  }
  const checked = async (path: string, key: string) => {
    const { data, error } = await checkFile(path, join(dataDir, key));
    return { report: data as ExportReport, code: error?.code ?? null };
  };

  it('is made once, for its owner only, and named on the chain', async () => {
    const first = (await open()).shown();
    assert.deepEqual((await open()).shown(), first);
    assert.equal((await stat(file())).mode & 0o777, 0o600);
    assert.equal((await stat(keys())).mode & 0o777, 0o700);
    assert.deepEqual(await chained(), ['audit.keyCreated']);
    await cp(join(keys(), 'audit-ed25519.pub'), join(dataDir, 'first.pub'));
  });

  it('signs an export that anybody with its public half can check', async () => {
    const { report, code } = await checked(await exported('one'), 'first.pub');
    assert.deepEqual([report.ok, report.signedBy?.known, code], [true, 'given', null]);
    const [event] = (await fixture.catalog.audit.list({ action: 'audit.exported' })).items;
    assert.equal(event?.actor, 'anna');
  });

  it('is handed over to a new one, which the first public key leads to', async () => {
    const before = (await open()).shown();
    const key = await open();
    const [second, third] = await Promise.all([key.rotate('anna', 'yearly'), key.rotate('bert', 'again')]);
    assert.deepEqual(key.shown(), third);
    assert.equal(new Set([before.keyId, second.keyId, third.keyId]).size, 3);
    assert.deepEqual((await open()).shown(), third);
    const { report } = await checked(await exported('two'), 'first.pub');
    assert.deepEqual(
      [report.ok, report.signedBy],
      [true, { ...report.signedBy, keyId: third.keyId, known: 'given' }],
    );
    assert.deepEqual(await chained(), ['audit.keyCreated', 'audit.keyRotated', 'audit.keyRotated']);
  });

  it('is the old one after a rotation that died before the chain knew, and the new one after', async () => {
    const key = await open();
    const before = key.shown();
    await cp(file(), join(dataDir, 'old'));
    await writeFile(`${file()}.new`, await otherKey(), { mode: 0o600 });
    assert.deepEqual((await open()).shown(), before);
    assert.deepEqual(
      (await readdir(keys())).sort(),
      ['audit-ed25519.key', 'audit-ed25519.pub'],
      'the half-made key is gone',
    );
    const after = await key.rotate('anna', 'yearly');
    await cp(file(), `${file()}.new`);
    await cp(join(dataDir, 'old'), file());
    assert.deepEqual((await open()).shown(), after);
    assert.equal((await checked(await exported('three'), 'first.pub')).report.ok, true);
  });

  it('that was lost is replaced, and whoever checks is told', async () => {
    await rm(keys(), { recursive: true });
    await open();
    const { report, code } = await checked(await exported('four'), 'first.pub');
    assert.equal(code, 'proof.failed');
    assert.match(report.problem?.what ?? '', /replaced without the signature of the one before/);
    assert.equal((await checked(await exported('five'), 'keys/audit-ed25519.pub')).report.ok, true);
  });

  it('that another machine took over from signs nothing more', async () => {
    const own = await open();
    const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    await openAuditKey(elsewhere, fixture.catalog);
    const { exportAudit } = auditServices({ catalog: fixture.catalog, auditKey: own } as unknown as Parts);
    await assert.rejects(
      async () => {
        for await (const _ of exportAudit({ name: 'anna', role: 'viewer' }));
      },
      { code: 'request.conflict' },
    );
    await rm(elsewhere, { recursive: true });
  });

  async function otherKey(): Promise<Buffer> {
    const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    const catalog = Object.create(fixture.catalog, {
      audit: { value: { ...fixture.catalog.audit, append: async () => undefined } },
    }) as typeof fixture.catalog;
    await openAuditKey(elsewhere, catalog);
    const key = await readFile(join(elsewhere, 'keys', 'audit-ed25519.key'));
    await rm(elsewhere, { recursive: true });
    return key;
  }
});
