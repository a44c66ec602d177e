import assert from 'node:assert/strict';
import { configurationSchema } from '../../../domain/configuration/schema.ts';
import type { Configuration } from '../../../domain/configuration/types.ts';
import { asset, directory, keepsNothing, policy, read, repository, written } from './written.ts';

describe('parseConfiguration', () => {
  it('fills in every default', () => {
    const { configuration, warnings } = read(written());
    const hooks = { before: [], after: [], onError: 'fail' as const };
    const restore = { stop: [], start: [], health: [] };
    const expected: Configuration = {
      version: 1,
      folder: '/etc/holdfast',
      dataDir: '/etc/holdfast/.holdfast',
      temporal: null,
      catalog: null,
      ports: { temporal: null, temporalUi: null, catalog: null, api: null, metrics: null },
      idempotency: { keepSeconds: 2_592_000 },
      repositories: [
        {
          name: 'local',
          type: 'restic',
          url: '/etc/holdfast/repo',
          password: { kind: 'file', path: '/etc/holdfast/repo.key' },
          env: {},
          limits: { uploadBytesPerSecond: null, dailyUpload: null },
          headroom: { highPercent: 95, lowPercent: 90, capacityBytes: null },
        },
        {
          name: 'offsite',
          type: 'restic',
          url: 's3:https://s3.example.org/bucket',
          password: { kind: 'env', name: 'OFFSITE_KEY' },
          env: {},
          limits: { uploadBytesPerSecond: 52_428_800, dailyUpload: null },
          headroom: null,
        },
      ],
      assets: [
        {
          name: 'orders',
          class: 'standard',
          hooks,
          restore,
          type: 'postgres',
          url: { kind: 'env', name: 'ORDERS_URL' },
          method: 'dump',
          checks: [],
        },
        {
          name: 'uploads',
          class: 'standard',
          hooks,
          restore,
          type: 'directory',
          path: '/srv/uploads',
          exclude: [],
          expect: { minFiles: 1, minBytes: 0 },
        },
      ],
      policies: [
        {
          name: 'daily',
          assets: ['orders', 'uploads'],
          cadence: { kind: 'every', seconds: 86_400 },
          timing: { window: null, jitterSeconds: null, catchUpSeconds: null, overlap: 'skip' },
          repository: 'local',
          copies: [{ repository: 'offsite', retention: null }],
          retention: null,
          proof: 'verified',
          objectives: { rpoSeconds: null, rtoSeconds: null, provenWithinSeconds: null, successRate: null },
          verification: null,
        },
      ],
      notifications: [
        {
          name: 'ops',
          type: 'slack',
          url: { kind: 'env', name: 'SLACK_URL' },
          on: ['failure', 'objective', 'drill', 'channel', 'recovery'],
          severity: 'warning',
          policies: [],
          remindEverySeconds: 86_400,
        },
      ],
    };
    assert.deepEqual(configuration, expected);
    assert.deepEqual(warnings, []);
  });

  it('is plain JSON, to travel through Temporal', () => {
    const { configuration } = read(written());
    assert.deepEqual(JSON.parse(JSON.stringify(configuration)), configuration);
  });

  it('reads what stands in the design, as far as it is built', () => {
    const { configuration } = read(
      policy(`repository: local, cron: "0 3 * * *", copies: [ { repository: offsite, every: 24h, lag: 36h, retention: { keepWithin: 30d } } ], proof: proven,
        retention: { keepLast: 3, keepDaily: 30, keepWeekly: 13, keepMonthly: 12, keepWithin: 24h },
        objectives: { rpo: 24h, rto: 30m, provenWithin: 7d, successRate: 99.9% }`),
    );
    assert.deepEqual(configuration.policies[0], {
      name: 'p',
      assets: ['orders', 'uploads'],
      cadence: { kind: 'cron', expression: '0 3 * * *' },
      timing: { window: null, jitterSeconds: null, catchUpSeconds: null, overlap: 'skip' },
      repository: 'local',
      copies: [
        {
          repository: 'offsite',
          cadence: { kind: 'every', seconds: 86_400 },
          lagSeconds: 129_600,
          retention: { ...keepsNothing, keepWithinSeconds: 30 * 86_400 },
        },
      ],
      retention: {
        ...keepsNothing,
        keepLast: 3,
        keepDaily: 30,
        keepWeekly: 13,
        keepMonthly: 12,
        keepWithinSeconds: 86_400,
      },
      proof: 'proven',
      objectives: { rpoSeconds: 86_400, rtoSeconds: 1800, provenWithinSeconds: 604_800, successRate: 0.999 },
      verification: null,
    });
  });

  it("reads restic's words for what to keep within a time, also of a copy in its short form", () => {
    const within = `keepWithin: 1d, keepWithinHourly: 2d, keepWithinDaily: 3d, keepWithinWeekly: 4w,
      keepWithinMonthly: 5w, keepWithinYearly: 6w`;
    const [first] = read(policy(`repository: local, every: 1h, copies: [offsite], retention: { ${within} }`))
      .configuration.policies;
    assert.deepEqual(first?.copies, [{ repository: 'offsite', retention: null }]);
    assert.deepEqual(first?.retention, {
      ...keepsNothing,
      keepWithinSeconds: 86_400,
      keepWithinHourlySeconds: 2 * 86_400,
      keepWithinDailySeconds: 3 * 86_400,
      keepWithinWeeklySeconds: 28 * 86_400,
      keepWithinMonthlySeconds: 35 * 86_400,
      keepWithinYearlySeconds: 42 * 86_400,
    });
  });

  it('reads where Temporal and the catalogue are', () => {
    const head =
      'version: 1\ntemporal: { address: "[::1]:7233" }\ncatalog: { url: "postgres://app@db/holdfast" }';
    const { temporal, catalog } = read(written({ head })).configuration;
    assert.deepEqual(temporal, { address: '[::1]:7233', namespace: 'default' });
    assert.deepEqual(catalog, { url: { kind: 'literal', value: 'postgres://app@db/holdfast' } });
  });

  it('reads variables, limits and commands, programs by path made absolute', () => {
    const text = repository(
      'url: "rest:http://127.0.0.1:8000/", password: "cmd:./key show a", env: { A: file:k, B: env:C }, limits: { upload: 20MiB/s }',
    );
    const [first] = read(text).configuration.repositories;
    assert.deepEqual(first, {
      name: 'local',
      type: 'restic',
      url: 'rest:http://127.0.0.1:8000/',
      password: { kind: 'cmd', command: ['/etc/holdfast/key', 'show', 'a'] },
      env: { A: { kind: 'file', path: '/etc/holdfast/k' }, B: { kind: 'env', name: 'C' } },
      limits: { uploadBytesPerSecond: 20_971_520, dailyUpload: null },
      headroom: null,
    });
  });

  it('reads hooks and health checks', () => {
    const text =
      asset(`type: sqlite, path: a.db, expect: { minBytes: 1MiB }, hooks: { before: [[./q, ./x]], onError: continue },
        restore: { stop: [[systemctl, stop, shop]], health: [{ http: "http://h/" }, { command: [./ok] }, { sql: select 1 }] }`);
    assert.deepEqual(read(text).configuration.assets[0], {
      name: 'a',
      type: 'sqlite',
      class: 'standard',
      path: '/etc/holdfast/a.db',
      expect: { minBytes: 1_048_576 },
      hooks: { before: [['/etc/holdfast/q', './x']], after: [], onError: 'continue' },
      restore: {
        stop: [['systemctl', 'stop', 'shop']],
        start: [],
        health: [
          { kind: 'http', url: 'http://h/' },
          { kind: 'command', command: ['/etc/holdfast/ok'] },
          { kind: 'sql', sql: 'select 1' },
        ],
      },
    });
  });

  it('takes paths with spaces, quotes and line breaks as they are', () => {
    for (const path of [
      '/srv/a b',
      "/srv/it's",
      '/srv/"x"',
      '/srv/a\nb',
      '/srv/-x',
      `/srv/${'x'.repeat(255)}`,
    ]) {
      const text = directory('class: standard').replace('/srv/a', JSON.stringify(path));
      const [first] = read(text).configuration.assets;
      assert.ok(first?.type === 'directory');
      assert.equal(first.path, path);
    }
  });

  it('takes names of up to 63 signs', () => {
    for (const name of ['a', '0', 'a.b_c-d', 'x'.repeat(63)]) {
      assert.equal(
        read(asset('type: directory, path: /a').replace('name: a', `name: "${name}"`)).configuration.assets[0]
          ?.name,
        name,
      );
    }
  });

  it('knows in the schema exactly the keys of the design that are built', () => {
    assert.deepEqual(Object.keys(configurationSchema.shape), [
      'version',
      'dataDir',
      'temporal',
      'catalog',
      'ports',
      'repositories',
      'assets',
      'policies',
      'drills',
      'evidence',
      'kit',
      'controlPlane',
      'idempotency',
      'notifications',
    ]);
  });
});
