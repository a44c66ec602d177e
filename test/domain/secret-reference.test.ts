import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SecretReference } from '../../domain/secret-reference.ts';
import {
  formatSecretReference,
  isRefusal,
  mask,
  MASKED,
  parseSecretReference,
} from '../../domain/secret-reference.ts';

describe('parseSecretReference', () => {
  const read: [string, SecretReference][] = [
    ['env:ORDERS_URL', { kind: 'env', name: 'ORDERS_URL' }],
    ['file:./keys/local.key', { kind: 'file', path: './keys/local.key' }],
    ['file:/run/secrets/a b', { kind: 'file', path: '/run/secrets/a b' }],
    ['cmd:pass show backup/key', { kind: 'cmd', command: ['pass', 'show', 'backup/key'] }],
    ['cmd:  pass   show\tkey ', { kind: 'cmd', command: ['pass', 'show', 'key'] }],
    [`cmd:pass show "a b" 'c|d'`, { kind: 'cmd', command: ['pass', 'show', 'a b', 'c|d'] }],
    [`cmd:x --name='a b'`, { kind: 'cmd', command: ['x', '--name=a b'] }],
    [`cmd:x ''`, { kind: 'cmd', command: ['x', ''] }],
  ];
  for (const [text, reference] of read) {
    it(`reads ${text}`, () => assert.deepEqual(parseSecretReference(text), reference));
  }

  const refused: [string, RegExp][] = [
    ['hunter2', /written out/],
    ['', /written out/],
    ['ENV:X', /written out/],
    [' env:X', /written out/],
    ['env:', /name of a variable/],
    ['env:A-B', /name of a variable/],
    ['env:A\n', /name of a variable/],
    ['file:', /path/],
    ['file:~/key', /~ is not expanded/],
    ['file:a\nb', /line break/],
    ['file:/dev/null', /empty secret/],
    ['cmd:', /not followed by a command/],
    [`cmd:'' x`, /not followed by a command/],
    ['cmd:-x', /starts with "-"/],
    ['cmd:cat key | head -1', /needs a shell/],
    ['cmd:echo $KEY', /needs a shell/],
    ['cmd:cat ~/key', /needs a shell/],
    ['cmd:a; b', /needs a shell/],
    ['cmd:echo `id`', /needs a shell/],
    [`cmd:echo "a`, /not closed/],
    [`cmd:echo it's`, /not closed/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const result = parseSecretReference(text);
      assert.ok(isRefusal(result));
      assert.match(result.message, why);
      assert.notEqual(result.fix, '');
    });
  }

  it('reads back what formatSecretReference wrote, whatever the arguments', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !/[\0\r\n]/.test(text));
    const program = word.filter((text) => text !== '' && !/^[-~]/.test(text));
    fc.assert(
      fc.property(program, fc.array(word), (first, others) => {
        const reference: SecretReference = { kind: 'cmd', command: [first, ...others] };
        assert.deepEqual(parseSecretReference(formatSecretReference(reference)), reference);
      }),
    );
  });
});

describe('mask', () => {
  const masked: [string, string][] = [
    ['hunter2', MASKED],
    ['env:NAME', 'env:NAME'],
    ['env:not a name', MASKED],
    ['file:/run/secrets/key', 'file:/run/secrets/key'],
    ['cmd:echo hunter2', 'cmd:echo …'],
    ['cmd:echo', 'cmd:echo'],
    ['cmd:echo hunter2 | cat', MASKED],
  ];
  for (const [text, shown] of masked) it(`shows ${text} as ${shown}`, () => assert.equal(mask(text), shown));

  it('tells nothing of a plain secret, not even its length', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/^(env|file|cmd):/.test(text)),
        (text) => assert.equal(mask(text), MASKED),
      ),
    );
  });
});
