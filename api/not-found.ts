import { HoldfastError } from '../domain/errors.ts';
import type { Api } from './api.ts';
import { refuse } from './errors.ts';

/** 404, or 405 with `Allow` where the path is there and the method is not. Call before any route is added. */
export function installNotFound(api: Api): void {
  const known: { method: string; pattern: RegExp }[] = [];
  api.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replaceAll(/:[a-zA-Z]+/g, '[^/]+').replace('*', '.*')}$`);
    for (const each of [method].flat()) known.push({ method: each, pattern });
  });

  api.setNotFoundHandler({ preHandler: api.rateLimit() }, (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (allowed.size > 0) {
      void reply.header('allow', [...allowed].join(', '));
      const cause = `the path takes ${[...allowed].join(', ')}`;
      return refuse(reply, missing(`${request.method} ${path}`, cause, 'usage'), 405);
    }
    return refuse(reply, missing(`${request.method} ${path}`, 'there is no such path', 'notFound'), 404);
  });
}

function missing(attempted: string, cause: string, code: 'usage' | 'notFound'): HoldfastError {
  return new HoldfastError({
    code,
    message: `${attempted} was refused`,
    cause,
    hint: 'see /docs for every path and what it takes',
  });
}
