// The command line's side of the API. Every failure is a HoldfastError: the service's own where it answered,
// `service.unreachable` where it did not. The token goes nowhere but to the service.

import { HoldfastError, isFailureCode, wordsOf } from '../domain/errors.ts';
import type { ErrorContract } from '../domain/errors.ts';
import { findServiceAddress, notRunning } from './service-address.ts';
import type { ServiceAddress } from './service-address.ts';

export interface Service {
  get<Answer>(path: string, query?: Record<string, string | number | undefined>): Promise<Answer>;
  post<Answer>(path: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string): Promise<void>;
  /** As it comes, in pieces. */
  stream(path: string): Promise<AsyncIterable<Uint8Array>>;
}

/** The service may come back on another port: its address is looked up again after it was not reached. */
export async function openService(config: string | undefined): Promise<Service> {
  let address: ServiceAddress | null = await findServiceAddress(config);

  async function send(
    method: string,
    path: string,
    init: { body?: string; headers?: Record<string, string> },
  ) {
    address ??= await findServiceAddress(config);
    const { url, token } = address;
    let response: Response;
    try {
      response = await fetch(new URL(`/api/v1${path}`, url), {
        method,
        ...(init.body === undefined ? {} : { body: init.body }),
        headers: { ...init.headers, authorization: `Bearer ${token}` },
        redirect: 'error',
      });
    } catch (error) {
      address = null;
      const words = error instanceof Error && error.cause ? wordsOf(error.cause) : wordsOf(error);
      throw notRunning(`${url} does not answer: ${words}`);
    }
    if (!response.ok) throw await refusal(response, `${method} ${path}`);
    return response;
  }

  return {
    get: async <Answer>(path: string, query: Record<string, string | number | undefined> = {}) => {
      const words = new URLSearchParams();
      for (const [name, value] of Object.entries(query))
        if (value !== undefined) words.set(name, String(value));
      const response = await send('GET', words.size > 0 ? `${path}?${words.toString()}` : path, {});
      return (await response.json()) as Answer;
    },
    post: async <Answer>(path: string, body?: object, headers: Record<string, string> = {}) => {
      const content = body && {
        body: JSON.stringify(body),
        headers: { ...headers, 'content-type': 'application/json' },
      };
      return (await (await send('POST', path, content ?? { headers })).json()) as Answer;
    },
    delete: async (path) => {
      await send('DELETE', path, {});
    },
    stream: async (path) => {
      const { body } = await send('GET', path, {});
      return (body ?? []) as AsyncIterable<Uint8Array>;
    },
  };
}

/** Ids and names in a path, whatever is in them. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

async function refusal(response: Response, attempted: string): Promise<HoldfastError> {
  const text = await response.text().catch(() => '');
  const answer = asContract(text);
  if (answer) return new HoldfastError(answer);
  return new HoldfastError({
    code: 'service.failed',
    message: `${attempted} failed`,
    cause: `the service answered ${response.status}: ${text.slice(0, 200)}`,
    hint: 'is it Holdfast that listens there? look at its log, or start it again with `holdfast up`',
  });
}

function asContract(text: string): ErrorContract | null {
  try {
    const { code, message, cause, hint } = JSON.parse(text) as Record<string, unknown>;
    if (!isFailureCode(code)) return null;
    return { code, message: words(message), cause: words(cause), hint: words(hint) };
  } catch {
    return null;
  }
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
