import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import type { Configuration } from '../../../domain/configuration/types.ts';
import { kitFactsOf, type KitFacts, type SeenPoint } from '../../../domain/kit/facts.ts';
import { shellBlocks } from '../../../domain/kit/sheet-blocks.ts';
import { renderSheet } from '../../../domain/kit/sheet.ts';
import { shellWord } from '../../../domain/kit/shell-word.ts';
import { aConfiguration } from '../../catalog/fixture.ts';

const point: SeenPoint = { stored: '/old/place', database: 'shop' };

function factsOf(configuration: Configuration, seen = new Map<string, SeenPoint>()): KitFacts {
  return kitFactsOf(configuration, {
    ...{ digest: 'c1', auditKey: { keyId: 'k1', publicKey: 'MCow' }, seen, minimum: () => '1.0' },
    shownUrl: (url) => url.replace(/:[^:@/]+@/, ':****@'),
  });
}

function sheetOf(kit: KitFacts): string {
  return renderSheet({
    ...{
      kit,
      digest: 'd'.repeat(64),
      writtenAt: '2026-11-20T02:00:00Z',
      host: 'shop-1',
      dataDir: '/var/lib/h',
    },
    ...{ holdfast: '0.1.0', sealedFor: ['age1…'], passphrase: false, rtoSeconds: 1800 },
  });
}

const base = aConfiguration().assets[0]!;
const three = aConfiguration({
  assets: [
    {
      ...base,
      name: 'orders',
      type: 'postgres',
      url: { kind: 'env', name: 'U' },
      method: 'dump',
      checks: [{ sql: "select 'x' = 'x'" }],
    },
    { ...base, name: 'sales', type: 'sqlite', path: '/srv/app/sales.db', expect: { minBytes: 1 } },
    { ...base, name: 'uploads', type: 'directory', path: "/srv/it's here" },
  ] as Configuration['assets'],
  policies: [{ ...aConfiguration().policies[0]!, assets: ['orders', 'sales', 'uploads'] }],
});

describe('the sheet of the recovery kit', () => {
  const text = sheetOf(
    factsOf(
      three,
      new Map([
        ['orders', point],
        ['uploads', point],
      ]),
    ),
  );
  const blocks = shellBlocks(text);

  it('has for every asset, in every repository it is in, how to look, fetch, place and check', () => {
    for (const repository of ['local', 'offsite']) {
      for (const asset of ['orders', 'sales', 'uploads']) {
        const own = blocks.filter(({ headings }) => headings[1] === `${asset} from ${repository}`);
        assert.deepEqual(
          own.map(({ headings }) => headings[2]),
          ['Look', 'Fetch', 'Put in place', 'Check'],
        );
      }
    }
  });

  it('says only what bash can read', () => {
    for (const { text: script } of blocks) execFileSync('bash', ['-n', '-c', script]);
  });

  it('fetches from where the newest point has it, which may not be where the configuration would', () => {
    const fetch = (asset: string) =>
      blocks.find(({ headings }) => headings[1] === `${asset} from offsite` && headings[2] === 'Fetch')!.text;
    assert.match(fetch('uploads'), /latest:\/old\/place /);
    assert.match(fetch('sales'), /latest:\/var\/lib\/holdfast\/staging\/sales\/database /);
    assert.match(fetch('sales'), /holdfast:asset=sales,holdfast:kind=regular,holdfast:part=database/);
  });

  it('shows where secrets are kept and none of them', () => {
    const secret = aConfiguration({
      repositories: aConfiguration().repositories.map((one) => ({
        ...one,
        url: 'rest:https://user:topsecret@backup.example.org/',
        env: { TOKEN: { kind: 'cmd', command: ['vault', 'read', 'hidden-word'] } },
      })),
    });
    const shown = sheetOf(factsOf(secret));
    assert.doesNotMatch(shown, /topsecret|hidden-word/);
    assert.match(shown, /file:\/etc\/holdfast\/key/);
    assert.match(shown, /cmd:vault/);
  });

  it('gives ssh the key and the known hosts of the sealed part', () => {
    const sftp = aConfiguration({
      repositories: aConfiguration().repositories.map((one) => ({
        ...one,
        url: 'sftp:backup@nas:/repo',
        ssh: { identityFile: '/root/.ssh/id', knownHostsFile: '/root/.ssh/known' },
      })),
    });
    assert.match(sheetOf(factsOf(sftp)), /sftp\.args="[^"]*-i '\$KIT\/repositories\/offsite\/identity'/);
  });
});

describe('a shell word', () => {
  it('is one word and the same text, whatever is in it', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'));
    const texts = fc.sample(anything, 300).map((text) => Buffer.from(text).toString());
    const words = texts.map(shellWord);
    assert.ok(words.every((word) => !word.includes('\n')));
    const said = execFileSync('bash', ['-c', `printf '%s\\0' ${words.join(' ')}`], { encoding: 'utf8' });
    assert.deepEqual(said.split('\0').slice(0, -1), texts);
  });
});
