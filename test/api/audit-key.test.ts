import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditKey, type AuditKey } from '../../api/wiring/audit-key.ts';
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

  async function exported(name: string, auditKey?: AuditKey): Promise<string> {
    const parts = { catalog: fixture.catalog, auditKey: auditKey ?? (await open()) };
    const { exportAudit } = auditServices(parts as unknown as Parts);
    let text = '';
    for await (const line of exportAudit({ name: 'anna', role: 'viewer' }))
      text += `${JSON.stringify(line)}\n`;
    const path = join(dataDir, name);
    await writeFile(path, text);
    return path;
  }
  const signedBy = async (auditKey: AuditKey) => {
    const { data } = await checkFile(await exported('one-of-two', auditKey), null);
    const { signedBy: by } = data as ExportReport;
    return { keyId: by?.keyId, known: by?.known };
  };
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
    assert.match(report.problem?.what ?? '', /announced it, without the signature of the key given/);
    assert.equal((await checked(await exported('five'), 'keys/audit-ed25519.pub')).report.ok, true);
  });

  it('and that of another host sign side by side, whichever was announced last', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    const before = (await chained()).length;
    for (let start = 0; start < 2; start += 1) {
      const there = await openAuditKey(elsewhere, fixture.catalog);
      const here = await open();
      assert.deepEqual(await signedBy(there), { keyId: there.shown().keyId, known: 'chain' });
      assert.deepEqual(await signedBy(here), { keyId: here.shown().keyId, known: 'chain' });
    }
    assert.equal((await chained()).length, before + 1, 'each is announced once');
    await rm(elsewhere, { recursive: true });
  });

  it('of which another host had a copy signs and rotates nothing more once that one replaced it', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    await open();
    await cp(keys(), join(elsewhere, 'keys'), { recursive: true });
    await (await openAuditKey(elsewhere, fixture.catalog)).rotate('anna', 'yearly');
    const own = await open();
    const refused = { code: 'request.conflict', cause: /another host with a copy of it has replaced it/ };
    await assert.rejects(signedBy(own), refused);
    await assert.rejects(own.rotate('bert', 'again'), refused);
    await rm(keys(), { recursive: true });
    assert.equal((await signedBy(await open())).known, 'chain');
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
