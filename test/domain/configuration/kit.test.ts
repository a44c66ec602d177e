import assert from 'node:assert/strict';
import { assertRefused, read, written } from './written.ts';

const recipient = `age1${'q'.repeat(58)}`;
const kit = (more: string) => written({ notifications: `kit: { ${more} }` });
const drill = (more: string) =>
  written({ notifications: `drills:\n  - { name: q, policies: [daily], from: offsite, ${more} }` });

describe('the recovery kit in the configuration', () => {
  it('has recipients and a folder of its own', () => {
    assert.deepEqual(read(kit(`recipients: [${recipient}]`)).configuration.kit, {
      recipients: [recipient],
      folder: '/etc/holdfast/kit',
    });
  });

  it('changes no digest where it is left out', () => {
    assert.ok(!('kit' in read(written()).configuration));
  });

  it('refuses what nobody could open, and the secret half of a key without showing it', () => {
    assertRefused(kit('recipients: §[]'), { says: /nobody could open/ });
    assertRefused(kit('recipients: [§alice]'), { says: /not an age recipient/ });
    const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
    assertRefused(kit(`recipients: [§${secret}]`), { says: /^((?!QQQ).)*secret half/ });
  });

  it('gives a drill its key, with absolute paths', () => {
    const text = drill('scenario: keyLoss, kit: { file: ./kit/recovery-kit.age, identity: file:./identity }');
    assert.deepEqual(read(text).configuration.drills?.[0]?.kit, {
      file: '/etc/holdfast/kit/recovery-kit.age',
      identity: { kind: 'file', path: '/etc/holdfast/identity' },
    });
  });

  it('is for drills of a lost key alone', () => {
    const text = drill('§kit: { file: ./k.age, identity: file:./identity }');
    assertRefused(text, { says: /the recovery kit is rehearsed/ });
  });
});
