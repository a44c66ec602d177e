import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { parse } from 'yaml';
import { buildServer } from '../../api/server.ts';
import type { CopyState } from '../../domain/copies/lag.ts';
import { sampleStatus } from './sample-status.ts';
import { servicesDouble, type ServicesDouble } from './services-double.ts';
import { tokensDouble } from './tokens-double.ts';

describe('the metrics', () => {
  let app: FastifyInstance;
  let services: ServicesDouble;

  beforeEach(async () => {
    services = servicesDouble();
    services.report = sampleStatus(new Date('2026-11-20T10:00:00.000Z'));
    const tokens = tokensDouble({ scraper: 'viewer' });
    app = await buildServer({ services, tokens, allowedHosts: [], logger: null });
  });
  afterEach(() => app.close());

  const scrape = async (token = 'scraper-token') => {
    const headers = { host: 'localhost', authorization: `Bearer ${token}` };
    return app.inject({ method: 'GET', url: '/metrics', headers });
  };
  const values = async () => {
    const lines = (await scrape()).body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
    );
  };

  it('are told to who has a token, as Prometheus reads them', async () => {
    const answer = await scrape();
    assert.equal(answer.statusCode, 200);
    assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.equal((await scrape('guessed')).statusCode, 401);
    assert.equal((await app.inject({ url: '/metrics', headers: { host: 'localhost' } })).statusCode, 401);
  });

  it('say how far copies are behind, and nothing where nothing is known', async () => {
    services.listCopies = async () => [behind(null)];
    const seen = await values();
    const of = 'policy="critical",repository="offsite"';
    assert.equal(seen.get(`holdfast_copy_lag_points{${of}}`), '3');
    assert.equal(seen.get(`holdfast_copy_lag_seconds{${of}}`), '7200');
    assert.equal(seen.get(`holdfast_copy_failed{${of}}`), '1');
    assert.equal(seen.has(`holdfast_copy_lag_objective_seconds{${of}}`), false);
  });

  it('say when the control plane was last stored, and where a repository was put back', async () => {
    const stored = {
      ...{ pointId: 'p', snapshotId: 's', takenAt: '2026-11-20T09:00:00Z', auditSequence: 7 },
      ...{ evidenceSequence: 0, configurationDigest: null },
    };
    const item = { configured: true, initialised: true, due: null, behind: null, lastAttempt: null };
    services.listControlPlane = async () => [
      { ...item, repository: 'offsite', stored, rolledBack: null },
      {
        ...{ ...item, repository: 'local', stored: null },
        rolledBack: { repository: 'local', foundAt: '2026-11-20T09:00:00Z', pointId: 'p', missing: [] },
      },
    ];
    const seen = await values();
    const at = 'holdfast_control_plane_last_success_timestamp_seconds';
    assert.equal(seen.get(`${at}{repository="offsite"}`), String(Date.parse('2026-11-20T09:00:00Z') / 1000));
    assert.equal(seen.has(`${at}{repository="local"}`), false);
    assert.equal(seen.get('holdfast_repository_rolled_back{repository="offsite"}'), '0');
    assert.equal(seen.get('holdfast_repository_rolled_back{repository="local"}'), '1');
  });

  it('say what status says', async () => {
    const seen = await values();
    const of = 'policy="critical",asset="uploads"';
    for (const [series, value] of [
      [`holdfast_rpo_seconds{${of}}`, '3600'],
      [`holdfast_rto_objective_seconds{${of}}`, '1800'],
      [`holdfast_last_success_timestamp_seconds{${of}}`, String(Date.parse('2026-11-20T09:00:00Z') / 1000)],
      [`holdfast_backup_success_ratio{${of},window="30d"}`, String(29 / 30)],
      [`holdfast_backup_runs{${of},window="7d",outcome="missed"}`, '1'],
      [`holdfast_validation_success_ratio{${of},window="90d"}`, '0.75'],
      [`holdfast_asset_health{${of},health="ok"}`, '1'],
      [`holdfast_asset_health{${of},health="critical"}`, '0'],
      ['holdfast_repository_free_bytes{repository="local"}', String(10 * 2 ** 30)],
      ['holdfast_repository_health{repository="offsite",health="unknown"}', '1'],
      ['holdfast_jobs{type="backup",status="success"}', '24'],
      ['holdfast_part_up{part="catalog"}', '1'],
    ]) {
      assert.equal(seen.get(series ?? ''), value, series);
    }
  });

  it('leave out what is unknown, and hold no id', async () => {
    const text = (await scrape()).body;
    assert.doesNotMatch(text, /holdfast_rpo_verified_seconds\{/);
    assert.doesNotMatch(text, /holdfast_repository_stored_bytes\{repository="offsite"/);
    assert.doesNotMatch(text, /holdfast_validation_success_ratio\{[^}]*window="7d"/);
    assert.doesNotMatch(text, / (NaN|null|undefined)$/m);
    assert.doesNotMatch(text, /[0-9a-f]{8}-[0-9a-f]{4}-/);
  });

  it('carry a name as it is, whatever signs are in it', async () => {
    services.report.assets[0]!.asset = 'a"b\\c\nd';
    assert.match(
      (await scrape()).body,
      /holdfast_rpo_seconds\{policy="critical",asset="a\\"b\\\\c\\nd"\} 3600/,
    );
  });

  describe('named in', () => {
    const known = async () => {
      const [asset] = services.report.assets;
      const known = '2026-11-20T09:00:00.000Z';
      Object.assign(asset!, { lastProvenAt: known, breaches: ['rpo'] });
      asset!.rpo.verifiedSeconds = 7200;
      services.listCopies = async () => [behind(3600)];
      return new Set([...(await values()).keys()].map((series) => series.replace(/\{.*/, '')));
    };
    const named = (expressions: string[]) =>
      new Set(expressions.flatMap((expression) => expression.match(/\bholdfast_[a-z_]+/g) ?? []));

    it('the alert rules are all there, and each alert says what to do', async () => {
      const rules = parse(await read('deploy/prometheus/alerts.yaml')) as Rules;
      const alerts = rules.groups.flatMap((group) => group.rules);
      const exist = await known();
      for (const name of named(alerts.map(({ expr }) => expr))) assert.ok(exist.has(name), name);
      assert.ok(alerts.length >= 8);
      for (const { alert, expr, labels, annotations } of alerts) {
        assert.match(labels.severity, /^(warning|critical)$/, alert);
        assert.ok(annotations.summary && annotations.description.includes('holdfast '), alert);
        for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g))
          assert.ok(labelsOf(expr, await values()).has(label ?? ''), `${alert}: no series has ${label}`);
      }
    });

    it('the dashboard are all there', async () => {
      const dashboard = JSON.parse(await read('deploy/grafana/holdfast.json')) as Dashboard;
      const expressions = [
        ...dashboard.panels.flatMap((panel) => panel.targets ?? []).map(({ expr }) => expr),
        ...dashboard.templating.list.flatMap(({ query }) => query ?? []),
      ];
      const exist = await known();
      assert.ok(expressions.length >= 10);
      for (const name of named(expressions)) assert.ok(exist.has(name), name);
      const ids = dashboard.panels.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    });
  });
});

interface Rules {
  groups: {
    rules: {
      alert: string;
      expr: string;
      labels: { severity: string };
      annotations: { summary: string; description: string };
    }[];
  }[];
}

interface Dashboard {
  panels: { id: number; targets?: { expr: string }[] }[];
  templating: { list: { query?: string }[] };
}

function read(path: string): Promise<string> {
  return readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** The labels that the series an expression names have; what every target has besides comes from Prometheus. */
function labelsOf(expression: string, series: Map<string, string>): Set<string> {
  const names = expression.match(/\bholdfast_[a-z_]+/g) ?? [];
  const labels = [...series.keys()]
    .filter((each) => names.some((name) => each.startsWith(`${name}{`)))
    .flatMap((each) => [...each.matchAll(/[{,](\w+)="/g)].map(([, label]) => label ?? ''));
  return new Set([...labels, 'instance', 'job']);
}

/** A copy for which three points wait, the first for two hours. */
function behind(lagObjectiveSeconds: number | null): CopyState {
  return {
    ...{ policy: 'critical', repository: 'offsite', cadence: null, assets: [] },
    ...{ lagPoints: 3, lagSeconds: 7200, lagObjectiveSeconds, breached: lagObjectiveSeconds !== null },
    ...{ lastStatus: 'failed', lastAttemptAt: null, error: null },
  };
}
