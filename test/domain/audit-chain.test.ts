import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CHAIN_START, checkExport, digestOf, type AuditEvent } from '../../domain/audit-chain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the audit chain', () => {
  const chain = chainOf(12);
  const check = (events: unknown[], anchors = [{ sequence: 12, digest: chain[11]?.digest ?? '' }]) =>
    checkExport(
      events.map((event) => JSON.stringify(event)),
      sha256,
      anchors,
    );

  it('holds as it was written', () => {
    assert.deepEqual(check(chain), {
      ok: true,
      events: 12,
      head: { sequence: 12, digest: chain[11]?.digest },
      problem: null,
    });
    assert.equal(check([], []).ok, true);
  });

  it('has the digest anyone can compute again', () => {
    const text =
      `{"action":"test","actor":"anna","at":"2026-11-20T00:00:00.000Z","details":{"n":0},"previous":"${CHAIN_START}",` +
      `"sequence":1,"subject":"x"}`;
    assert.equal(chain[0]?.digest, sha256(text));
  });

  it('breaks wherever one thing is edited, removed, repeated or moved', () => {
    const index = fc.nat({ max: 11 });
    const edited = fc
      .record({ index, field: fc.constantFrom('at', 'actor', 'action', 'subject', 'previous', 'digest') })
      .map(({ index: at, field }) =>
        chain.map((event, i) => (i === at ? { ...event, [field]: 'f'.repeat(64) } : event)),
      );
    const details = index.map((at) =>
      chain.map((event, i) => (i === at ? { ...event, details: { n: -1 } } : event)),
    );
    const removed = index.map((at) => chain.toSpliced(at, 1));
    const repeated = index.map((at) => chain.toSpliced(at, 0, chain[at] as AuditEvent));
    const moved = fc
      .tuple(index, index)
      .filter(([from, to]) => from !== to)
      .map(([from, to]) => chain.toSpliced(from, 1).toSpliced(to, 0, chain[from] as AuditEvent));
    fc.assert(
      fc.property(fc.oneof(edited, details, removed, repeated, moved), (events) => {
        const report = check(events);
        assert.equal(report.ok, false);
        const first = [...chain, null].findIndex(
          (event, i) => JSON.stringify(event) !== JSON.stringify(events[i]),
        );
        assert.equal(report.problem?.sequence, first + 1);
      }),
      { numRuns: 300 },
    );
  });

  it('shows a chain written anew against a head noted before', () => {
    const anew = chainOf(12, 'mallory');
    assert.equal(check(anew, []).ok, true);
    assert.match(check(anew).problem?.what ?? '', /written anew/);
  });

  it('takes a line that is no event for a break, not for an exception', () => {
    for (const line of [
      '{',
      'null',
      '[]',
      '{"sequence":1}',
      JSON.stringify({ ...chain[1], details: null }),
    ]) {
      const report = checkExport([JSON.stringify(chain[0]), line], sha256);
      assert.deepEqual([report.ok, report.problem?.sequence], [false, 2], line);
    }
  });
});

function chainOf(length: number, actor = 'anna'): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (let index = 0; index < length; index += 1) {
    const content = {
      sequence: index + 1,
      at: new Date(Date.UTC(2026, 10, 20, 0, 0, index)).toISOString(),
      actor,
      action: 'test',
      subject: 'x',
      details: { n: index },
      previous: events.at(-1)?.digest ?? CHAIN_START,
    };
    events.push({ ...content, digest: digestOf(content, sha256) });
  }
  return events;
}
