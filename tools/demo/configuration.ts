/** The demo's configuration, as a file would have it. Keys lie beside it. */
export function demoConfiguration({ storeUrl, sqliteFile, tree }: DemoPlaces): string {
  const configuration = {
    version: 1,
    repositories: [
      { name: 'local', type: 'restic', url: './repo', password: 'file:./local.key' },
      {
        name: 'offsite',
        type: 'restic',
        url: `s3:${storeUrl}/holdfast`,
        password: 'file:./offsite.key',
        env: { AWS_ACCESS_KEY_ID: 'env:DEMO_S3_KEY', AWS_SECRET_ACCESS_KEY: 'env:DEMO_S3_SECRET' },
      },
    ],
    assets: [
      {
        name: 'orders',
        type: 'postgres',
        url: 'env:DEMO_ORDERS_URL',
        method: 'dump',
        class: 'critical',
        checks: [{ sql: 'select count(*) >= 1000000 from pgbench_accounts' }],
      },
      { name: 'sales', type: 'sqlite', path: sqliteFile, class: 'critical' },
      { name: 'uploads', type: 'directory', path: tree },
    ],
    policies: [
      {
        name: 'critical',
        assets: ['orders', 'sales', 'uploads'],
        every: '24h',
        repository: 'local',
        copies: ['offsite'],
        retention: { keepLast: 3, keepDaily: 30 },
        proof: 'proven',
        objectives: { rpo: '24h', rto: '30m' },
      },
    ],
    drills: [
      {
        name: 'site-loss',
        scenario: 'siteLoss',
        policies: ['critical'],
        from: 'offsite',
        objectives: { rto: '30m', rpo: '24h' },
      },
    ],
  };
  // JSON is YAML.
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

export interface DemoPlaces {
  storeUrl: string;
  sqliteFile: string;
  tree: string;
}
