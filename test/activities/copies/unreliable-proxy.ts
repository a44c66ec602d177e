// A proxy in front of an S3 server that does what stores do on bad days.

import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  method: string;
  /** Below the bucket: `depot/data/ab/…`. */
  path: string;
}

/** `pass` hands it on; `swallow` takes it, says that all is well and keeps nothing; `silence` never answers. */
export type Answer = 'pass' | 'swallow' | 'silence' | { status: number; code: string };

export interface UnreliableProxy {
  port: number;
  /** Bytes of what was handed on to be stored, below `data`. */
  sent: number;
  /** From now on. */
  answer(how: (asked: Asked) => Answer): void;
  close(): Promise<void>;
}

export async function unreliableProxy(gatewayPort: number): Promise<UnreliableProxy> {
  let how: (asked: Asked) => Answer = () => 'pass';
  const server = createServer((incoming, response) => {
    // Whoever gives up in the middle has nothing more to be told.
    for (const stream of [incoming, response]) stream.on('error', () => response.destroy());
    const path = decodeURIComponent((incoming.url ?? '').split('?')[0] ?? '').replace(/^\/[^/]+\//, '');
    const answer = how({ method: incoming.method ?? '', path });
    if (answer === 'pass') return passOn(incoming, response, path);
    if (answer === 'silence') return;
    incoming.resume().on('end', () => {
      if (answer === 'swallow') response.writeHead(200, { etag: `"${'0'.repeat(32)}"` }).end();
      else response.writeHead(answer.status, { 'content-type': 'application/xml' }).end(words(answer.code));
    });
  });
  const passOn = (incoming: IncomingMessage, response: ServerResponse, path: string) => {
    const { method, url, headers } = incoming;
    const onward = forward(
      { port: gatewayPort, host: '127.0.0.1', method, path: url, headers },
      (answered) => {
        if (method === 'PUT' && /\/data\//.test(path) && answered.statusCode === 200)
          proxy.sent += Number(headers['x-amz-decoded-content-length'] ?? headers['content-length'] ?? 0);
        response.writeHead(answered.statusCode ?? 500, answered.headers);
        answered.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: UnreliableProxy = {
    port: (server.address() as AddressInfo).port,
    sent: 0,
    answer: (next) => {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

function words(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}
