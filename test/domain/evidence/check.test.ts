import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalJson } from '../../../domain/canonical-json.ts';
import { checkEvidence } from '../../../domain/evidence/check.ts';
import { decodeBase64, encodeBase64 } from '../../../domain/evidence/base64.ts';
import { preAuthenticationEncoding, readEnvelope, seal } from '../../../domain/evidence/envelope.ts';
import { statementIn } from '../../../domain/evidence/files.ts';
import { STATEMENT_PAYLOAD, type Statement } from '../../../domain/evidence/statement.ts';
import {
  drilledAsset,
  drillRecordOf,
  handover,
  newSigner,
  nth,
  series,
  signatures,
} from './evidence-fixture.ts';

describe('a piece of evidence', () => {
  const [first, second, stranger] = [newSigner(), newSigner(), newSigner()];
  const [whole = ''] = series([{ record: nth(1), signer: first }]);
  const check = (text: string, trusted: string | null = first.publicKey) =>
    checkEvidence({ name: 'one.json', text }, signatures, trusted);
  const altered = (text: string, trusted?: string | null) =>
    check(text, trusted).problems.map((problem) => [problem.altered, problem.claim]);

  it('is whole as signed, for whoever has the public key, and names its subjects', () => {
    const { problems, keyKnown, statement } = check(whole);
    assert.deepEqual([problems, keyKnown], [[], 'given']);
    assert.deepEqual(statement?.subject, [
      { name: 'offsite/uploads/p-1/files', digest: { sha256: 'a'.repeat(64) } },
    ]);
    assert.equal(check(whole, null).keyKnown, 'chain');
  });

  it('is a DSSE envelope: the signature is over the exact bytes of type and payload', () => {
    const { payload, payloadType, signatures: signed } = JSON.parse(whole);
    const text = Buffer.from(payload, 'base64').toString('utf8');
    const exact = `DSSEv1 ${payloadType.length} ${payloadType} ${Buffer.byteLength(text)} ${text}`;
    assert.equal(payloadType, 'application/vnd.in-toto+json');
    assert.ok(signatures.verifies(first.publicKey, exact, signed[0].sig));
    assert.equal(
      preAuthenticationEncoding('http://example.com/HelloWorld', 'hello world'),
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    assert.equal(preAuthenticationEncoding('t', 'ü'), 'DSSEv1 1 t 2 ü');
  });

  it('shows every altered, added and missing byte, wherever it is', () => {
    const bytes = Buffer.from(whole);
    const at = fc.nat({ max: bytes.length - 1 });
    const flipped = fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([index, by]) => {
      const copy = Buffer.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ by;
      return copy.toString('utf8');
    });
    const replaced = fc
      .tuple(at, fc.constantFrom(...'ABab01+/= "{}'))
      .filter(([index, character]) => whole[index] !== character)
      .map(([index, character]) => whole.slice(0, index) + character + whole.slice(index + 1));
    const put = fc
      .tuple(at, fc.constantFrom(' ', '\n', '=', 'A', '"'))
      .map(([index, character]) => whole.slice(0, index) + character + whole.slice(index));
    const cut = at.map((index) => whole.slice(0, index));
    fc.assert(
      fc.property(fc.oneof(flipped, replaced, put, cut), (text) => {
        assert.notDeepEqual(check(text).problems, []);
      }),
      { numRuns: 1500 },
    );
  });

  it('names the claim that was edited, of every claim there is', () => {
    const { predicate } = statementIn(whole);
    const claims = Object.keys(predicate.claims).filter((name) => name !== 'signedBy');
    assert.ok(claims.includes('record.measured') && claims.includes('record.assets[0]'));
    for (const [edit, claim] of EDITS) {
      const found = altered(rewritten(whole, (statement) => edit(statement)));
      assert.deepEqual(found[0], ['payload', claim]);
      assert.deepEqual(found.at(-1), ['signature', null], claim);
    }
    fc.assert(
      fc.property(fc.constantFrom(...claims), (claim) => {
        const text = rewritten(whole, ({ predicate: { claims: digests } }) => {
          digests[claim] = '0'.repeat(64);
        });
        assert.deepEqual(altered(text)[0], ['payload', claim]);
      }),
    );
  });

  it('shows an edit whose digests were mended too, if only by its signature', () => {
    const forged = series([{ record: nth(1, { operator: 'nobody' }), signer: first }])[0] ?? '';
    const {
      signatures: [{ sig }],
    } = JSON.parse(whole);
    const envelope = JSON.parse(forged);
    const text = `${canonicalJson({ ...envelope, signatures: [{ keyid: first.keyId, sig }] })}\n`;
    assert.deepEqual(altered(text), [['signature', null]]);
  });

  it('tells an altered signature, and another name of the key', () => {
    const {
      signatures: [signed],
      ...rest
    } = JSON.parse(whole);
    const resigned = (change: object) =>
      `${canonicalJson({ ...rest, signatures: [{ ...signed, ...change }] })}\n`;
    const sig = (signed.sig[0] === 'A' ? 'B' : 'A') + signed.sig.slice(1);
    assert.deepEqual(altered(resigned({ sig })), [['signature', null]]);
    assert.deepEqual(altered(resigned({ keyid: stranger.keyId })), [['key', null]]);
    assert.deepEqual(altered(resigned({ sig: 'AAAA' })), [['envelope', null]]);
    // The last bits of base64 carry nothing: they may not be altered all the same.
    const loose = signed.sig.replace(/.==$/, (end: string) => `${LOOSE[end[0] ?? ''] ?? 'B'}==`);
    assert.notDeepEqual(altered(resigned({ sig: loose })), []);
  });

  it('shows what a stranger signed, also under the name of the key', () => {
    const [made = ''] = series([{ record: nth(1), signer: stranger }]);
    assert.deepEqual(altered(made), [['key', null]]);
    const posing = { ...stranger, keyId: first.keyId };
    assert.deepEqual(altered(series([{ record: nth(1), signer: posing }])[0] ?? ''), [['signature', null]]);
    const both = { ...posing, publicKey: first.publicKey };
    assert.deepEqual(altered(series([{ record: nth(1), signer: both }])[0] ?? ''), [['signature', null]]);
  });

  it('is believed with the first public key after a rotation, and not after one it did not sign', () => {
    const rotated = [handover(first, second)];
    const [text = ''] = series([{ record: nth(1), signer: second, handovers: rotated }]);
    assert.deepEqual(altered(text), []);
    assert.deepEqual(altered(text, second.publicKey), []);
    assert.deepEqual(altered(text, stranger.publicKey), [['key', null]]);
    const forged = [handover(first, stranger, stranger)];
    const [posing = ''] = series([{ record: nth(1), signer: stranger, handovers: forged }]);
    assert.deepEqual(altered(posing), [['key', null]]);
  });

  it('is not believed when it calls itself passed and what it states is no pass', () => {
    const record = drillRecordOf({ assets: [drilledAsset({ integrity: null })] });
    const honest = statementIn(series([{ record, signer: first }])[0] ?? '');
    assert.equal(honest.predicate.verdict.outcome, 'inconclusive');
    const predicate = { ...honest.predicate, verdict: { outcome: 'passed' as const, reasons: [] } };
    const claims = { ...predicate.claims, verdict: signatures.sha256(canonicalJson(predicate.verdict)) };
    const text = seal(STATEMENT_PAYLOAD, { ...honest, predicate: { ...predicate, claims } }, first);
    assert.deepEqual(altered(text), [['payload', 'verdict']]);
  });

  it('holds no password of a URL, whoever forgot to redact it', () => {
    const record = drillRecordOf({
      source: { repository: 'offsite', type: 'restic', location: 'rest:https://u:hunter2@h/r' },
    });
    const [text = ''] = series([{ record, signer: first }]);
    assert.equal(statementIn(text).predicate.record.source.location, 'rest:https://u:***@h/r');
    assert.ok(!JSON.stringify(readEnvelope(text)).includes('hunter2'));
  });

  it('reads base64 in one spelling only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(encodeBase64(text), Buffer.from(text).toString('base64'));
        assert.equal(decodeBase64(encodeBase64(text)), text);
      }),
    );
    for (const loose of ['YQ', 'YR==', 'YQ==\n', ' YQ==', '/w==', 'YQ_-'])
      assert.equal(decodeBase64(loose), null);
  });
});

const LOOSE: Record<string, string> = { A: 'B', Q: 'R', g: 'h', w: 'x' };

const EDITS: [(statement: Statement) => void, string][] = [
  [({ predicate: { verdict } }) => (verdict.outcome = 'failed'), 'verdict'],
  [({ predicate: { record } }) => (record.measured.rtoSeconds = 1), 'record.measured'],
  [({ predicate: { record } }) => (record.objectives.rtoSeconds = 99_999), 'record.objectives'],
  [({ predicate: { record } }) => record.assets.pop(), 'record.assets[0]'],
  [({ predicate: { record } }) => (record.assets[0]!.owner = 'bert'), 'record.assets[0]'],
  [({ predicate: { record } }) => (record.commands[0]!.exitCode = 1), 'record.commands[0]'],
  [({ predicate: { record } }) => (record.operator = 'bert'), 'record.operator'],
  [(statement) => (statement.predicate.recordedAt = '2020-01-01T00:00:00.000Z'), 'recordedAt'],
  [(statement) => (statement.subject[0]!.name = 'another'), 'subject'],
  [(statement) => (statement.predicate.previous = '1'.repeat(64)), 'previous'],
];

/** As a forger without the key would: the payload anew, the signature as it was. */
function rewritten(text: string, edit: (statement: Statement) => void): string {
  const statement = statementIn(text);
  edit(statement);
  const payload = encodeBase64(canonicalJson(statement));
  return `${canonicalJson({ ...JSON.parse(text), payload })}\n`;
}
