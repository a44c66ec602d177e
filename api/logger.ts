import type { FastifyServerOptions } from 'fastify';

export interface LogChoice {
  level: string;
  /** Standard error unless told. */
  stream?: { write(line: string): void };
}

/** JSON lines. Bodies and headers are not logged; should one slip in with an error, its secrets are masked. */
export function loggerOptions(choice: LogChoice | null): NonNullable<FastifyServerOptions['logger']> {
  if (choice === null) return false;
  return {
    level: choice.level,
    stream: choice.stream ?? process.stderr,
    redact: { paths: secretPaths, censor: '****' },
  };
}

const secretPaths = ['authorization', 'cookie', 'token', 'password'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
  `*.*.*.${name}`,
]);
