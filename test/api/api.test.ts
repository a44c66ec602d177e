import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { buildServer } from '../../api/server.ts';
import { statusOfCode } from '../../api/errors.ts';
import type { ServerOptions } from '../../api/server.ts';
import type { AuditEvent } from '../../domain/audit-chain.ts';
import { failureCodes } from '../../domain/errors.ts';
import { samplePoint, sampleRestore, servicesDouble } from './services-double.ts';
import type { ServicesDouble } from './services-double.ts';
import { tokensDouble } from './tokens-double.ts';

const roles = ['viewer', 'operator', 'approver', 'admin'] as const;

/** Every route, the least role it takes, a request that is fine, and the status of its answer. */
const routes: [method: string, path: string, role: (typeof roles)[number], body: unknown, status: number][] =
  [
    ['GET', '/api/v1/status', 'viewer', null, 200],
    ['GET', '/metrics', 'viewer', null, 200],
    ['POST', '/api/v1/backups', 'operator', { policy: 'critical' }, 202],
    ['POST', '/api/v1/verifications', 'operator', { policy: 'critical' }, 202],
    ['GET', '/api/v1/verifications/plan?policy=critical', 'viewer', null, 200],
    ['GET', '/api/v1/policies/critical/retention', 'viewer', null, 200],
    ['POST', '/api/v1/retentions', 'operator', { policy: 'critical' }, 202],
    ['GET', '/api/v1/copies', 'viewer', null, 200],
    ['POST', '/api/v1/syncs', 'operator', { policy: 'critical', repository: 'offsite' }, 202],
    ['GET', '/api/v1/control-plane', 'viewer', null, 200],
    ['POST', '/api/v1/control-plane/backups', 'operator', { repository: 'offsite' }, 404],
    ['POST', '/api/v1/control-plane/rollbacks/offsite/accept', 'approver', { reason: 'known' }, 404],
    ['GET', '/api/v1/drills', 'viewer', null, 200],
    ['GET', '/api/v1/drills/1', 'viewer', null, 404],
    ['POST', '/api/v1/drills', 'operator', { drill: 'quarterly' }, 404],
    ['GET', '/api/v1/kit', 'viewer', null, 404],
    ['POST', '/api/v1/kit/exports', 'admin', { recipients: ['age1xyz'] }, 200],
    ['POST', '/api/v1/kit/confirmations', 'operator', null, 404],
    ['GET', '/api/v1/jobs', 'viewer', null, 200],
    ['GET', '/api/v1/jobs/job-1', 'viewer', null, 200],
    ['GET', '/api/v1/jobs/job-1/events', 'viewer', null, 200],
    ['POST', '/api/v1/jobs/job-1/cancel', 'operator', null, 202],
    ['GET', '/api/v1/points', 'viewer', null, 200],
    ['GET', '/api/v1/points/point-1', 'viewer', null, 200],
    ['GET', '/api/v1/points/point-1/files', 'operator', null, 200],
    ['POST', '/api/v1/points/import', 'operator', { asset: 'uploads', repository: 'local' }, 200],
    ['GET', '/api/v1/policies', 'viewer', null, 200],
    ['POST', '/api/v1/policies/critical/pause', 'operator', { reason: 'a new disk' }, 200],
    ['POST', '/api/v1/policies/critical/resume', 'operator', { reason: 'it is in' }, 200],
    ['POST', '/api/v1/points/point-1/hold', 'operator', { reason: 'case 117' }, 200],
    ['POST', '/api/v1/points/point-1/release', 'approver', { reason: 'closed' }, 200],
    ['POST', '/api/v1/points/point-1/removal', 'approver', { reason: 'mistaken' }, 200],
    ['GET', '/api/v1/restores', 'viewer', null, 200],
    ['GET', '/api/v1/restores/r-1', 'viewer', null, 200],
    ['POST', '/api/v1/restores', 'operator', { asset: 'uploads' }, 202],
    ['POST', '/api/v1/restores/r-1/commit', 'operator', null, 202],
    ['POST', '/api/v1/restores/r-1/cancel', 'operator', null, 202],
    ['GET', '/api/v1/incidents', 'viewer', null, 200],
    ['POST', '/api/v1/notifications/test', 'operator', {}, 200],
    ['GET', '/api/v1/configuration', 'viewer', null, 404],
    ['POST', '/api/v1/configuration', 'admin', { source: 'version: 1', path: '/etc/holdfast.yaml' }, 200],
    ['GET', '/api/v1/audit', 'viewer', null, 200],
    ['GET', '/api/v1/audit/verification', 'viewer', null, 200],
    ['GET', '/api/v1/audit/export', 'viewer', null, 200],
    ['GET', '/api/v1/audit/histories', 'viewer', null, 200],
    ['GET', '/api/v1/evidence', 'viewer', null, 200],
    ['GET', '/api/v1/evidence/1', 'viewer', null, 200],
    ['GET', '/api/v1/evidence-export', 'viewer', null, 200],
    ['GET', '/api/v1/evidence-report?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z', 'viewer', null, 200],
    ['GET', '/api/v1/jobs/job-1/history', 'viewer', null, 200],
    ['GET', '/api/v1/audit/key', 'viewer', null, 200],
    ['POST', '/api/v1/audit/key/rotation', 'admin', { reason: 'yearly' }, 200],
    ['GET', '/api/v1/tokens', 'admin', null, 200],
    ['POST', '/api/v1/tokens', 'admin', { name: 'ci', role: 'operator' }, 201],
    ['DELETE', '/api/v1/tokens/viewer', 'admin', null, 204],
  ];

/** The fields the tests look at, of whichever answer has them. */
interface Body {
  id: string;
  code: string;
  message: string;
  cause: string;
  hint: string;
  proof: string;
  configuration: { repositories: { password: { command: string[] } }[] };
  openapi: string;
  paths: Record<string, Record<string, Described>>;
}

interface Described {
  description: string;
  responses: Record<string, { content: Record<string, { schema: { properties: Record<string, unknown> } }> }>;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Body;
}

describe('the HTTP API', () => {
  let app: FastifyInstance;
  let services: ServicesDouble;
  let port: number;
  let log: string[];

  async function start(change: Partial<ServerOptions> = {}): Promise<void> {
    log = [];
    services = servicesDouble();
    services.points.push(samplePoint('point-1'));
    services.restores.set('r-1', sampleRestore('r-1'));
    await services.startBackup({ name: 'admin', role: 'admin' }, { policy: 'critical', assets: [] }, null);
    const tokens = tokensDouble(Object.fromEntries(roles.map((role) => [role, role])));
    const logger = { level: 'info', stream: { write: (line: string) => void log.push(line) } };
    app = await buildServer({ services, tokens, allowedHosts: ['backup.example'], logger, ...change });
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as AddressInfo).port;
  }

  /** node:http, because fetch would not let a Host header be forged. */
  function call(
    method: string,
    path: string,
    options: { token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { token = 'admin-token', body = null, headers = {} } = options;
    const payload = body === null ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          headers: {
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
            ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = String(answer.headers['content-type']).includes('application/json');
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text,
              json: (isJson && text ? JSON.parse(text) : {}) as Body,
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  function assertError(answer: Answer, status: number, code: string): void {
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(Object.keys(answer.json), ['code', 'message', 'cause', 'hint']);
    assert.equal(answer.json.code, code);
    assert.ok(answer.json.message && answer.json.hint);
  }

  beforeEach(() => start());
  afterEach(() => app.close());

  describe('who is let in', () => {
    it('lets anyone ask for health, and for nothing else', async () => {
      const health = await call('GET', '/api/health', { token: null });
      assert.equal(health.status, 200);
      assert.deepEqual(health.json, { status: 'ok', parts: [{ name: 'catalog', ok: true }] });
      for (const [method, path, , body] of routes) {
        const answer = await call(method, path, { token: null, body, headers: { 'x-forwarded-for': path } });
        assertError(
          answer,
          answer.status === 429 ? 429 : 401,
          answer.status === 429 ? 'rateLimited' : 'unauthorized',
        );
      }
      assert.deepEqual(
        services.calls.map(({ name }) => name),
        ['startBackup', 'health'],
      );
    });

    for (const [method, path, needed, body, status] of routes) {
      it(`${method} ${path} needs ${needed}`, async () => {
        for (const role of roles) {
          const answer = await call(method, path, { token: `${role}-token`, body });
          if (roles.indexOf(role) < roles.indexOf(needed)) assertError(answer, 403, 'forbidden');
          else {
            assert.equal(answer.status, status, answer.text);
            break;
          }
        }
      });
    }

    it('refuses an unknown token, and one that was revoked', async () => {
      assertError(await call('GET', '/api/v1/status', { token: 'nobody' }), 401, 'unauthorized');
      await call('DELETE', '/api/v1/tokens/viewer');
      assertError(await call('GET', '/api/v1/status', { token: 'viewer-token' }), 401, 'unauthorized');
    });

    it('answers 429 to the twenty-first failed authentication of a minute, and still lets a valid token in', async () => {
      const statuses = [];
      for (let n = 0; n < 22; n += 1)
        statuses.push((await call('GET', '/api/v1/status', { token: 'guess' })).status);
      assert.deepEqual(statuses, [...Array<number>(20).fill(401), 429, 429]);
      assert.equal((await call('GET', '/api/v1/status')).status, 200);
    });

    it('refuses a name it does not answer for: DNS rebinding', async () => {
      for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`]) {
        assertError(await call('GET', '/api/v1/status', { headers: { host } }), 403, 'forbidden');
        assertError(await call('GET', '/api/health', { token: null, headers: { host } }), 403, 'forbidden');
      }
      for (const host of [`localhost:${port}`, `[::1]:${port}`, 'backup.example', 'BACKUP.example:443']) {
        assert.equal((await call('GET', '/api/v1/status', { headers: { host } })).status, 200, host);
      }
    });

    it("refuses another site's page, and answers it with no permission to read", async () => {
      const body = { policy: 'critical' };
      const foreign = [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: `http://127.0.0.1:${port + 1}` },
      ];
      for (const headers of foreign) {
        const answer = await call('POST', '/api/v1/backups', {
          body,
          headers: headers,
        });
        assertError(answer, 403, 'forbidden');
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
      }
      assert.equal(services.jobs.size, 1);
      const own = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
      assert.equal((await call('POST', '/api/v1/backups', { body, headers: own })).status, 202);
    });

    it('limits requests, and says when to come again', async () => {
      await app.close();
      await start({ requestsPerMinute: 3 });
      for (let n = 0; n < 3; n += 1) assert.equal((await call('GET', '/api/v1/status')).status, 200);
      const answer = await call('GET', '/api/v1/status');
      assertError(answer, 429, 'rateLimited');
      assert.ok(Number(answer.headers['retry-after']) > 0);
      assert.equal((await call('GET', '/api/v1/status', { token: 'viewer-token' })).status, 200);
    });
  });

  describe('what it refuses', () => {
    it('names the field, and never shows what was in it', async () => {
      const answer = await call('POST', '/api/v1/backups', {
        body: { policy: 7, assets: ['a'], pasword: 'canary-1' },
      });
      assertError(answer, 400, 'usage');
      assert.match(answer.json.cause, /body\.policy: .*string/);
      assert.match(answer.json.cause, /pasword/);
      assert.ok(!answer.text.includes('canary-1'));
      const query = await call('GET', '/api/v1/jobs?limit=501');
      assertError(query, 400, 'usage');
      assert.match(query.json.cause, /query\.limit/);
    });

    it('takes JSON only, whole, and not too much of it', async () => {
      const text = await call('POST', '/api/v1/backups', {
        body: 'policy=x',
        headers: { 'content-type': 'text/plain' },
      });
      assertError(text, 415, 'usage');
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      assertError(await call('POST', '/api/v1/backups', { body: 'policy=x', headers: form }), 415, 'usage');
      assertError(await call('POST', '/api/v1/backups', { body: '{"policy":' }), 400, 'usage');
      assertError(await call('POST', '/api/v1/backups'), 400, 'usage');
      const large = JSON.stringify({ policy: 'x'.repeat(300_000) });
      assertError(await call('POST', '/api/v1/backups', { body: large }), 413, 'usage');
    });

    it('says what is not there, and which methods are', async () => {
      assertError(await call('GET', '/api/v1/nothing'), 404, 'notFound');
      const wrong = await call('PUT', '/api/v1/backups', { body: {} });
      assertError(wrong, 405, 'usage');
      assert.equal(wrong.headers['allow'], 'POST');
      assertError(await call('GET', '/api/v1/jobs/absent'), 404, 'notFound');
      assertError(await call('GET', '/api/v1/points/absent'), 404, 'point.unknown');
      assertError(await call('GET', '/api/v1/nothing', { token: null }), 401, 'unauthorized');
    });

    it('shows a fault of its own as internal, in the same shape', async () => {
      services.status = () => Promise.reject(new TypeError('x is not a function'));
      const answer = await call('GET', '/api/v1/status');
      assertError(answer, 500, 'internal');
      assert.equal(answer.json.cause, 'x is not a function');
    });

    it('has a status for every failure code', () => {
      assert.deepEqual(Object.keys(statusOfCode), failureCodes);
    });
  });

  it('takes tags in any order as one request, other tags as another, and none as before there were any', async () => {
    const asked = (tags: string[] | undefined, key: string) =>
      call('POST', '/api/v1/backups', {
        body: { policy: 'critical', tags },
        headers: { 'idempotency-key': key },
      });
    assert.equal((await asked(['v2', 'release', 'v2'], 'k-tags')).status, 202);
    assert.equal((await asked(['release', 'v2'], 'k-tags')).status, 200);
    assert.equal((await asked(['release'], 'k-tags')).json.code, 'request.conflict');
    assert.equal((await asked(undefined, 'k-tags')).status, 409);
    assert.equal((await asked(undefined, 'k-none')).status, 202);
    assert.equal((await asked([], 'k-none')).status, 200);
    const given = services.calls.filter(({ name }) => name === 'startBackup').map((one) => one.arguments);
    const [, first] = given.find(([, , key]) => (key as { key?: string } | null)?.key === 'k-tags') ?? [];
    assert.deepEqual(first, { policy: 'critical', assets: [], tags: ['release', 'v2'] });
    const [, none, key] = given.at(-1) ?? [];
    assert.deepEqual(none, { policy: 'critical', assets: [] });
    const before = { to: '/api/v1/backups', body: none };
    const digest = createHash('sha256').update(canonicalJson(before)).digest('hex');
    assert.equal((key as { request: string }).request, digest);
  });

  for (const tags of [['a,b'], [' a'], ['-x'], ['a\n'], ['x'.repeat(64)], Array(17).fill('a')]) {
    it(`refuses as tags ${JSON.stringify(tags).slice(0, 40)}`, async () => {
      const { status } = await call('POST', '/api/v1/backups', { body: { policy: 'critical', tags } });
      assert.equal(status, 400);
    });
  }

  it('passes the idempotency key on: same request, same job; another request, 409', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const first = await call('POST', '/api/v1/backups', { body: { policy: 'a' }, headers });
    const second = await call('POST', '/api/v1/backups', { body: { assets: [], policy: 'a' }, headers });
    assert.deepEqual([first.status, second.status], [202, 200]);
    assert.equal(second.json.id, first.json.id);
    assertError(
      await call('POST', '/api/v1/backups', { body: { policy: 'b' }, headers }),
      409,
      'request.conflict',
    );
    assertError(
      await call('POST', '/api/v1/verifications', { body: { policy: 'a' }, headers }),
      409,
      'request.conflict',
    );
    const bad = { 'idempotency-key': 'two words' };
    assertError(await call('POST', '/api/v1/backups', { body: { policy: 'a' }, headers: bad }), 400, 'usage');
  });

  it('tells the services who asks', async () => {
    await call('POST', '/api/v1/jobs/job-1/cancel', { token: 'operator-token' });
    const cancelled = services.calls.find(({ name }) => name === 'cancelJob');
    assert.deepEqual(cancelled?.arguments, [{ name: 'operator', role: 'operator' }, 'job-1']);
  });

  it('takes a workflow id with its slash for a job', async () => {
    const answer = await call('GET', `/api/v1/jobs/${encodeURIComponent('restore/r-1')}`);
    assertError(answer, 404, 'notFound');
    assert.deepEqual(services.calls.at(-1)?.arguments, ['restore/r-1']);
  });

  it('lets nothing out that its schema does not list', async () => {
    Object.assign(services.points[0] ?? {}, { password: 'canary-2' });
    const answer = await call('GET', '/api/v1/points/point-1');
    assert.equal(answer.json.proof, 'verified');
    assert.ok(!answer.text.includes('canary-2'));
  });

  it('shows a command that yields a secret without its arguments', async () => {
    const password = { kind: 'cmd', command: ['vault', 'read', 'canary-3'] };
    services.currentConfiguration = async () => {
      const configuration = { repositories: [{ name: 'local', password }] };
      return { configuration, digest: 'd', appliedAt: 't', appliedBy: 'a' } as never;
    };
    const answer = await call('GET', '/api/v1/configuration');
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json.configuration.repositories[0]?.password.command, ['vault', '…']);
  });

  it('lets an operator run retention, and nobody below an approver pass over what stops it', async () => {
    const run = (token: string, confirm: boolean) =>
      call('POST', '/api/v1/retentions', { token: `${token}-token`, body: { policy: 'critical', confirm } });
    assert.equal((await run('operator', false)).status, 202);
    const refused = await run('operator', true);
    assert.deepEqual([refused.status, refused.json.code], [403, 'forbidden']);
    assert.equal((await run('approver', true)).status, 202);
  });

  it('exports the audit chain as one event a line', async () => {
    const answer = await call('GET', '/api/v1/audit/export');
    assert.equal(answer.headers['content-type'], 'application/x-ndjson');
    assert.equal((JSON.parse(answer.text) as AuditEvent).sequence, 1);
  });

  it('describes every route in OpenAPI 3.1, with its answers and its role', async () => {
    const { json } = await call('GET', '/openapi.json', { token: null });
    assert.match(json.openapi, /^3\.1/);
    const described = Object.entries<Record<string, { description: string }>>(json.paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(
          ([method, { description }]) => `${method.toUpperCase()} ${path}: ${description}`,
        ),
    );
    const expected = routes.map(([method, path, role]) => {
      const pattern = path
        .replace(/\?.*/, '')
        .replace(
          /(?<=jobs|points|restores|tokens|policies|evidence|drills|rollbacks)\/(job-1|point-1|r-1|viewer|critical|offsite|1)(?=\/|$)/,
          (_all, id) =>
            ({ viewer: '/{name}', critical: '/{policy}', offsite: '/{repository}' })[String(id)] ?? '/{id}',
        );
      return `${method} ${pattern}: Needs the role ${role}.`;
    });
    assert.deepEqual(described.sort(), [...expected, 'GET /api/health: Needs no token.'].sort());
    assert.ok(
      json.paths['/api/v1/jobs']?.['get']?.responses['200']?.content['application/json']?.schema.properties[
        'items'
      ],
    );
  });

  it('serves the page that describes it', async () => {
    const page = await call('GET', '/docs/', { token: null });
    assert.equal(page.status, 200);
    assert.match(page.text, /swagger-ui/);
    assert.match(String(page.headers['content-security-policy']), /script-src[^;]*'self'/);
    assert.equal((await call('GET', '/docs/static/swagger-ui.css', { token: null })).status, 200);
  });

  it('never logs a token', async () => {
    await call('GET', '/api/v1/status', { token: 'canary-4' });
    app.log.info(
      { req: { headers: { authorization: 'canary-5' } }, headers: { authorization: 'canary-6' } },
      'slip',
    );
    assert.ok(log.length > 1);
    assert.ok(!log.join('').includes('canary'), log.join(''));
  });
});
