// Every native tool Holdfast runs: the version it is pinned to, the oldest it works with, and why it is needed.
import type { Manifest, SystemTool } from './tool-definition.ts';

const postgresDirectories = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
];

// The wrappers Debian puts on the PATH choose a version by the user's clusters; the real programs do not.
const postgresTool = (name: string, neededBy: string[], neededFor: SystemTool['neededFor'] = 'run') =>
  ({
    kind: 'system',
    minimum: '14.0',
    probe: { args: ['--version'], pattern: new RegExp(`^${name} \\(PostgreSQL\\) (\\d+[.\\w]*)`, 'm') },
    neededBy,
    neededFor,
    debianPackage: 'postgresql',
    directories: postgresDirectories,
    homepage: 'https://www.postgresql.org/download/',
  }) satisfies SystemTool;

const scratchServers = ['the embedded catalogue', 'proofs of postgres assets'];

export const manifest = {
  restic: {
    kind: 'pinned',
    version: '0.19.1',
    minimum: '0.19.0',
    probe: { args: ['version'], pattern: /^restic (\d+\.\d+\.\d+)/m },
    neededBy: ['restic repositories'],
    neededFor: 'run',
    release: {
      baseUrl: 'https://github.com/restic/restic/releases/download/v0.19.1/',
      archive: ({ os, arch }) => `restic_0.19.1_${os}_${arch}.bz2`,
      checksums: 'SHA256SUMS',
    },
    go: { package: 'github.com/restic/restic/cmd/restic', linkerFlags: '-s -w', usualSeconds: 90 },
    homepage: 'https://github.com/restic/restic/releases',
  },
  temporal: {
    kind: 'pinned',
    version: '1.5.1',
    minimum: '1.5.0',
    probe: { args: ['--version'], pattern: /^temporal version (\d+\.\d+\.\d+)/m },
    neededBy: ['the embedded Temporal server'],
    neededFor: 'run',
    release: {
      baseUrl: 'https://github.com/temporalio/cli/releases/download/v1.5.1/',
      archive: ({ os, arch }) => `temporal_cli_1.5.1_${os}_${arch}.tar.gz`,
      checksums: 'checksums.txt',
    },
    go: {
      package: 'github.com/temporalio/cli/cmd/temporal',
      linkerFlags: '-s -w -X github.com/temporalio/cli/temporalcli.Version=1.5.1',
      usualSeconds: 140,
    },
    homepage: 'https://github.com/temporalio/cli/releases',
  },
  versitygw: {
    kind: 'pinned',
    version: '1.8.0',
    minimum: '1.8.0',
    probe: { args: ['--version'], pattern: /^Version\s*: v?(\d+\.\d+\.\d+)/m },
    neededBy: ['the S3 server of the demo and the tests'],
    neededFor: 'demo',
    release: {
      baseUrl: 'https://github.com/versity/versitygw/releases/download/v1.8.0/',
      archive: ({ os, arch }) =>
        `versitygw_v1.8.0_${os === 'darwin' ? 'Darwin' : 'Linux'}_${arch === 'amd64' ? 'x86_64' : arch}.tar.gz`,
      checksums: 'checksums.txt',
    },
    go: {
      package: 'github.com/versity/versitygw/cmd/versitygw',
      linkerFlags: '-s -w -X main.Version=1.8.0',
      usualSeconds: 60,
    },
    homepage: 'https://github.com/versity/versitygw/releases',
  },
  'rest-server': {
    kind: 'pinned',
    version: '0.14.0',
    minimum: '0.14.0',
    probe: { args: ['--version'], pattern: /^rest-server (?:version rest-server )?(\d+\.\d+\.\d+)/m },
    neededBy: ["tests of restic's REST server as a target"],
    neededFor: 'tests',
    release: {
      baseUrl: 'https://github.com/restic/rest-server/releases/download/v0.14.0/',
      archive: ({ os, arch }) => `rest-server_0.14.0_${os}_${arch}.tar.gz`,
      checksums: 'SHA256SUMS',
    },
    go: {
      package: 'github.com/restic/rest-server/cmd/rest-server',
      linkerFlags: '-s -w',
      usualSeconds: 5,
    },
    homepage: 'https://github.com/restic/rest-server/releases',
  },
  'temporal-test-server': {
    kind: 'pinned',
    version: '1.32.1',
    minimum: '1.32.1',
    neededBy: ['workflow tests that skip time'],
    neededFor: 'tests',
    maven: {
      directory: 'temporal-test-server',
      mainClass: 'io.temporal.testserver.TestServer',
      usualSeconds: 20,
    },
    homepage: 'https://github.com/temporalio/sdk-java',
  },

  initdb: postgresTool('initdb', scratchServers),
  pg_ctl: postgresTool('pg_ctl', scratchServers),
  postgres: postgresTool('postgres', scratchServers),
  psql: postgresTool('psql', ['postgres assets', ...scratchServers]),
  pg_dump: postgresTool('pg_dump', ['postgres assets']),
  pg_dumpall: postgresTool('pg_dumpall', ['postgres assets']),
  pg_restore: postgresTool('pg_restore', ['postgres assets']),
  pgbench: postgresTool('pgbench', ['the database of the demo and the bench'], 'demo'),

  sqlite3: {
    kind: 'system',
    minimum: '3.34.0',
    probe: { args: ['--version'], pattern: /^(\d+\.\d+\.\d+)/m },
    neededBy: ['sqlite assets'],
    neededFor: 'run',
    debianPackage: 'sqlite3',
    relocatable: true,
    homepage: 'https://www.sqlite.org/download.html',
  },
  zstd: {
    kind: 'system',
    minimum: '1.4.0',
    probe: { args: ['--version'], pattern: /v(\d+\.\d+\.\d+)/ },
    neededBy: ['compressed dumps and exported job histories'],
    neededFor: 'run',
    debianPackage: 'zstd',
    relocatable: true,
    homepage: 'https://github.com/facebook/zstd/releases',
  },
  getfattr: {
    kind: 'system',
    minimum: '2.4.0',
    probe: { args: ['--version'], pattern: /^getfattr (\d+\.\d+(?:\.\d+)?)/m },
    neededBy: ['extended attributes in the digests of directory assets'],
    neededFor: 'run',
    debianPackage: 'attr',
    relocatable: true,
    homepage: 'https://savannah.nongnu.org/projects/attr',
  },
  setpriv: {
    kind: 'system',
    minimum: '2.33',
    probe: { args: ['--version'], pattern: /util-linux (\d+\.\d+(?:\.\d+)?)/ },
    neededBy: ['PostgreSQL servers started by root, as another user'],
    neededFor: 'run',
    debianPackage: 'util-linux',
    relocatable: true,
    homepage: 'https://github.com/util-linux/util-linux',
  },

  rsync: {
    kind: 'system',
    minimum: '3.2.0',
    probe: { args: ['--version'], pattern: /^rsync\s+version v?(\d+\.\d+\.\d+)/m },
    neededBy: ['tests'],
    neededFor: 'tests',
    debianPackage: 'rsync',
    relocatable: true,
    homepage: 'https://rsync.samba.org',
  },
  sshd: {
    kind: 'system',
    minimum: '8.4',
    probe: { args: ['-V'], pattern: /OpenSSH_(\d+\.\d+)/ },
    neededBy: ['tests of sites reached over SSH'],
    neededFor: 'tests',
    debianPackage: 'openssh-server',
    relocatable: true,
    homepage: 'https://www.openssh.com/portable.html',
  },
  rclone: {
    kind: 'system',
    minimum: '1.58.0',
    probe: { args: ['version'], pattern: /^rclone v?(\d+\.\d+\.\d+)/m },
    neededBy: ['tests of rclone remotes as a target'],
    neededFor: 'tests',
    debianPackage: 'rclone',
    relocatable: true,
    homepage: 'https://rclone.org/install/',
  },
  java: {
    kind: 'system',
    minimum: '11',
    probe: { args: ['-version'], pattern: /version "(\d+(?:\.\d+)*)/ },
    neededBy: ['the time-skipping Temporal server of the tests'],
    neededFor: 'tests',
    debianPackage: 'default-jre-headless',
    homepage: 'https://adoptium.net',
  },
  mvn: {
    kind: 'system',
    minimum: '3.6.0',
    probe: { args: ['--version'], pattern: /Apache Maven (\d+\.\d+\.\d+)/ },
    neededBy: ['fetching the time-skipping Temporal server of the tests'],
    neededFor: 'tests',
    debianPackage: 'maven',
    homepage: 'https://maven.apache.org/download.cgi',
  },
} satisfies Manifest;

export type ToolName = keyof typeof manifest;
