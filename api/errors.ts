// Every answer that is not a success has the contract's shape, whoever refused: a service, a schema, the
// framework. One table says which HTTP status a failure has.

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { asHoldfastError, HoldfastError } from '../domain/errors.ts';
import type { FailureCode } from '../domain/errors.ts';

export function installErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = explain(thrown as FastifyError, request);
    const status = statusOf(thrown, error);
    if (status >= 500) request.log.error({ err: thrown }, error.message);
    return refuse(reply, error, status);
  });
}

export function refuse(
  reply: FastifyReply,
  error: HoldfastError,
  status = statusOfCode[error.code],
): FastifyReply {
  return reply.code(status).type('application/json').send(JSON.stringify(error.toContract()));
}

/** What a caller can mend is 4xx; 502 and 503 are for what lies behind us, 507 for a full disk. */
export const statusOfCode: Record<FailureCode, number> = {
  usage: 400,
  'configuration.invalid': 422,
  'secret.unresolved': 422,

  'repository.absent': 404,
  'repository.locked': 409,
  'repository.wrongPassword': 422,
  'repository.full': 507,
  'repository.unreachable': 503,
  'repository.forbidden': 502,
  'repository.credentialsRefused': 502,
  'repository.appendOnly': 409,
  'repository.untrusted': 502,
  'repository.damaged': 502,
  'proof.failed': 422,
  'objective.breached': 422,

  'source.missing': 422,
  'source.unreadable': 422,
  'source.partial': 422,
  'source.empty': 422,
  'source.invalid': 422,
  'source.unreachable': 503,
  'source.wrongPassword': 422,
  'source.forbidden': 422,
  'source.versionTooNew': 422,

  'tool.missing': 503,
  'tool.failed': 502,
  'tool.stalled': 504,
  'staging.full': 507,

  'target.notEmpty': 409,
  'target.readOnly': 409,
  'target.tooSmall': 507,
  'target.inUse': 409,
  'restore.state': 409,
  'health.failed': 502,
  'hook.failed': 502,

  'point.unknown': 404,
  notFound: 404,
  'request.conflict': 409,
  'confirmation.missing': 403,
  unauthorized: 401,
  forbidden: 403,
  rateLimited: 429,

  'channel.unreachable': 502,
  'channel.refused': 502,
  'channel.misconfigured': 502,
  'catalog.newer': 503,
  'catalog.unreachable': 503,
  'service.unreachable': 503,
  'service.failed': 503,
  'clock.untrusted': 409,
  'retention.dropsTooMuch': 409,
  'repository.disagrees': 409,
  fenced: 409,
  cancelled: 409,
  internal: 500,
};

function statusOf(thrown: unknown, error: HoldfastError): number {
  const own = (thrown as FastifyError).statusCode;
  const frameworkRefused = !(thrown instanceof HoldfastError) && own !== undefined && own >= 400 && own < 500;
  return frameworkRefused ? own : statusOfCode[error.code];
}

function explain(thrown: FastifyError, request: FastifyRequest): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) return invalid(thrown, request);
  const attempted = `${request.method} ${request.url.split('?', 1)[0] ?? ''}`;
  if (thrown.statusCode !== undefined && thrown.statusCode >= 400 && thrown.statusCode < 500) {
    return new HoldfastError({
      code: thrown.statusCode === 404 ? 'notFound' : 'usage',
      message: `${attempted} was refused`,
      cause: thrown.message,
      hint: FRAMEWORK_HINTS[thrown.code] ?? 'see /docs for what the path takes',
    });
  }
  return asHoldfastError(thrown, `${attempted} failed`);
}

const FRAMEWORK_HINTS: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'send the body as JSON, with content-type: application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'send a body that parses as JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'send a body, or leave the content-type header out',
  FST_ERR_CTP_BODY_TOO_LARGE: 'send less: a body may have 2 MiB',
};

/** Names each field the schema refused; never its value, which may be a secret. */
function invalid(
  thrown: {
    validation: { instancePath: string; message?: string | undefined }[];
    validationContext?: string | undefined;
  },
  request: FastifyRequest,
): HoldfastError {
  const where = thrown.validationContext === 'querystring' ? 'query' : thrown.validationContext;
  const fields = thrown.validation.map(({ instancePath, message }) => {
    const field = instancePath.split('/').filter(Boolean).join('.');
    return `${[where, field].filter(Boolean).join('.')}: ${message ?? 'is not valid'}`;
  });
  return new HoldfastError({
    code: 'usage',
    message: `${request.method} ${request.routeOptions.url ?? request.url} was given what it does not take`,
    cause: fields.join('; '),
    hint: 'see /docs for what the path takes',
  });
}
