import assert from 'node:assert/strict';
import { whyNotEncrypted } from '../../../domain/copies/crypt.ts';

const fine = { name: 'probe-1', content: 'plain words', rawNames: ['ai8ogu6j'], rawContent: 'RCLONE\0\0xyz' };

describe('an encrypting remote', () => {
  it('is one when neither name nor content can be read behind it', () => {
    assert.equal(whyNotEncrypted(fine), null);
  });

  const cases: [Partial<typeof fine>, RegExp][] = [
    [{ rawContent: 'plain words' }, /can be read/],
    [{ rawContent: 'RCLONE\0\0 plain words' }, /can be read/],
    [{ rawContent: 'something else' }, /not in the format/],
    [{ rawNames: ['folder/probe-1.bin'] }, /names can be read/],
    [{ rawNames: [] }, /did not arrive/],
  ];
  for (const [changed, why] of cases) {
    it(`is none: ${why.source}`, () => {
      assert.match(whyNotEncrypted({ ...fine, ...changed }) ?? '', why);
    });
  }
});
