import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { CHAIN_START, digestOf, type AuditEvent } from '../../domain/audit-chain.ts';
import { ExportCheck, headText, type ExportLine } from '../../domain/audit-export.ts';
import { KEY_CREATED, KEY_ROTATED, keyIdOf, rotationText } from '../../domain/audit-keys.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const signatures = {
  sha256,
  verifies: (publicKey: string, text: string, signature: string) =>
    verify(
      null,
      Buffer.from(text),
      createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' }),
      Buffer.from(signature, 'base64'),
    ),
};

describe('an exported audit chain', () => {
  const [first, second, third, stranger] = [newKey(), newKey(), newKey(), newKey()] as const;
  const plain = chainOf([created(first), ...notes(11)]);
  const rotated = chainOf([
    created(first),
    ...notes(3),
    rotation(first, second),
    ...notes(3),
    rotation(second, third),
    ...notes(2),
  ]);
  const ends = (events: AuditEvent[], key: Key): ExportLine[] => [...events, headOf(events, key)];

  it('is whole when nothing was touched, and says who signed it', () => {
    const report = check(ends(plain, first));
    assert.deepEqual([report.ok, report.events, report.problem], [true, 12, null]);
    assert.deepEqual(report.signedBy, { keyId: first.id, at: '2026-11-21T00:00:00.000Z', known: 'chain' });
    assert.equal(check(ends(plain, first), first.publicKey).signedBy?.known, 'given');
  });

  it('shows each edit, removal, repetition, move and cut, and where', () => {
    const lines = ends(plain, first).map((line) => JSON.stringify(line));
    const index = fc.nat({ max: plain.length - 1 });
    const name = fc.constantFrom('at', 'actor', 'action', 'subject', 'previous', 'digest', 'details');
    const edited = fc.tuple(index, name).map(([at, field]) => {
      const value = field === 'details' ? { n: -1 } : 'f'.repeat(64);
      return lines.with(at, JSON.stringify({ ...plain[at], [field]: value }));
    });
    const removed = index.map((at) => lines.toSpliced(at, 1));
    const repeated = index.map((at) => lines.toSpliced(at, 0, lines[at] ?? ''));
    const moved = fc
      .tuple(index, index)
      .filter(([from, to]) => from !== to)
      .map(([from, to]) => lines.toSpliced(from, 1).toSpliced(to, 0, lines[from] ?? ''));
    // The end goes, with the signed head or without.
    const cut = fc
      .tuple(fc.integer({ min: 0, max: plain.length - 1 }), fc.boolean())
      .map(([to, keepHead]) => [...lines.slice(0, to), ...(keepHead ? lines.slice(-1) : [])]);
    const torn = fc
      .integer({ min: 1, max: lines.join('\n').length - 2 })
      .map((bytes) => lines.join('\n').slice(0, -bytes).split('\n'));
    fc.assert(
      fc.property(fc.oneof(edited, removed, repeated, moved, cut, torn), (tampered) => {
        const report = checkLines(tampered, first.publicKey);
        assert.equal(report.ok, false);
        const at = lines.findIndex((line, i) => line !== tampered[i]);
        assert.equal(report.problem?.sequence, at + 1, report.problem?.what);
      }),
      { numRuns: 500 },
    );
  });

  it('tells an end that was cut off from one that was added to', () => {
    const head = headOf(plain, first);
    const whatOf = (lines: ExportLine[]) => check(lines).problem?.what ?? '';
    assert.match(
      whatOf([...plain.slice(0, 9), head]),
      /signed at event 12, and it ends at 9: the end was cut/,
    );
    assert.match(whatOf(plain), /unsigned/);
    const longer = chainOf([created(first), ...notes(12)]);
    assert.match(whatOf([...longer, head]), /signed before this event/);
    assert.match(whatOf([...plain, head, ...longer.slice(12)]), /follows the signed head/);
    const anew = chainOf([created(first), ...notes(11, 'mallory')]);
    assert.match(whatOf([...anew, head]), /written anew/);
    assert.deepEqual(check([...plain.slice(0, 9), head]).problem?.sequence, 10);
  });

  it('shows a head that was edited, and one signed by another key', () => {
    const { signedHead } = headOf(plain, first);
    for (const change of [
      { at: '2020-01-01T00:00:00.000Z' },
      { keyId: stranger.id },
      { signature: 'AAAA' },
    ]) {
      const report = check([...plain, { signedHead: { ...signedHead, ...change } }], first.publicKey);
      assert.match(report.problem?.what ?? '', /signature of its head does not fit/);
    }
    const forged = check(ends(plain, stranger), first.publicKey);
    assert.match(forged.problem?.what ?? '', new RegExp(`another key: ${stranger.id}, not ${first.id}`));
    assert.equal(forged.signedBy?.known, 'no');
    assert.match(check(ends(plain, stranger)).problem?.what ?? '', /the chain names/);
  });

  it('shows a whole chain made up under a key of the forger, to who kept the public key', () => {
    const made = ends(chainOf([created(stranger), ...notes(11)]), stranger);
    assert.equal(check(made).ok, true, 'it is consistent in itself');
    assert.match(check(made, first.publicKey).problem?.what ?? '', /another key/);
  });

  it('is followed through rotations from the first key, and from a later one', () => {
    for (const key of [first, second, third]) {
      assert.equal(check(ends(rotated, third), key.publicKey).signedBy?.known, 'given');
    }
    for (const trusted of [first.publicKey, third.publicKey, null]) {
      const what = check(ends(rotated, first), trusted).problem?.what ?? '';
      assert.match(what, /which was handed over to another at event 5/);
    }
  });

  it('does not follow a rotation that the key before did not sign', () => {
    const forged = chainOf([created(first), ...notes(3), rotation(first, stranger, stranger), ...notes(2)]);
    const report = check(ends(forged, stranger), first.publicKey);
    assert.deepEqual([report.problem?.sequence, report.ok], [5, false]);
    assert.match(report.problem?.what ?? '', /did not sign/);
    const replaced = chainOf([created(first), ...notes(3), created(stranger), ...notes(2)]);
    const lost = check(ends(replaced, stranger), first.publicKey).problem?.what ?? '';
    assert.match(lost, /event 5 announced it, without the signature of the key given/);
  });

  it('is signed by any host whose key the chain announced, in turn or not, also after the other rotated', () => {
    const [here, there] = [first, second];
    const both = chainOf([
      ...[created(here), ...notes(2), created(there), created(here)],
      ...[...notes(2), rotation(here, third), created(there), ...notes(1)],
    ]);
    for (const key of [there, third]) {
      assert.equal(check(ends(both, key)).signedBy?.known, 'chain');
      assert.equal(check(ends(both, key), key.publicKey).signedBy?.known, 'given');
    }
    assert.equal(check(ends(both, third), here.publicKey).signedBy?.known, 'given');
    assert.equal(check(ends(both, here)).ok, false, 'it was handed over');
    const other = check(ends(both, there), here.publicKey).problem?.what ?? '';
    assert.match(other, /event 4 announced it, without the signature of the key given/);
    assert.match(check(ends(both, stranger)).problem?.what ?? '', /the chain names/);
  });

  it('believes no key again that was handed over, and one handing over of a key at the most', () => {
    const again = chainOf([created(first), rotation(first, second), created(first), ...notes(1)]);
    assert.match(check(ends(again, first)).problem?.what ?? '', /handed over to another at event 2/);
    const twice = chainOf([created(first), rotation(first, second), rotation(first, third), ...notes(1)]);
    assert.equal(check(ends(twice, second), first.publicKey).signedBy?.known, 'given');
    assert.match(check(ends(twice, third)).problem?.what ?? '', /the chain names/);
    const unknown = chainOf([created(first), rotation(stranger, second), ...notes(1)]);
    assert.match(check(ends(unknown, first)).problem?.what ?? '', /which was not in force/);
  });
});

interface Key {
  id: string;
  publicKey: string;
  secret: KeyObject;
}

function newKey(): Key {
  const { privateKey: secret } = generateKeyPairSync('ed25519');
  const publicKey = createPublicKey(secret).export({ type: 'spki', format: 'der' }).toString('base64');
  return { id: keyIdOf(publicKey, sha256), publicKey, secret };
}

type Note = Pick<AuditEvent, 'action' | 'details'> & { actor?: string };

function notes(count: number, actor = 'anna'): Note[] {
  return Array.from({ length: count }, (_, n) => ({ action: 'test', details: { n }, actor }));
}

function created({ publicKey }: Key): Note {
  return { action: KEY_CREATED, details: { publicKey, replaces: null } };
}

function rotation(from: Key, to: Key, signer = from): Note {
  const text = rotationText({ previous: from.id, publicKey: to.publicKey });
  const signature = sign(null, Buffer.from(text), signer.secret).toString('base64');
  return { action: KEY_ROTATED, details: { publicKey: to.publicKey, previous: from.id, signature } };
}

function chainOf(notes: Note[]): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (const [index, { action, details, actor = 'anna' }] of notes.entries()) {
    const content = {
      ...{ sequence: index + 1, actor, action, subject: 'x', details },
      at: new Date(Date.UTC(2026, 10, 20, 0, 0, index)).toISOString(),
      previous: events.at(-1)?.digest ?? CHAIN_START,
    };
    events.push({ ...content, digest: digestOf(content, sha256) });
  }
  return events;
}

function headOf(events: AuditEvent[], { id: keyId, publicKey, secret }: Key) {
  const { sequence, digest } = events.at(-1)!;
  const at = '2026-11-21T00:00:00.000Z';
  const signature = sign(null, Buffer.from(headText({ sequence, digest, at, keyId })), secret);
  return { signedHead: { sequence, digest, at, keyId, publicKey, signature: signature.toString('base64') } };
}

function check(lines: ExportLine[], trusted: string | null = null) {
  return checkLines(
    lines.map((line) => JSON.stringify(line)),
    trusted,
  );
}

function checkLines(lines: string[], trusted: string | null) {
  const checking = new ExportCheck(signatures, trusted);
  for (const line of lines) if (!checking.accept(line)) break;
  return checking.report();
}
