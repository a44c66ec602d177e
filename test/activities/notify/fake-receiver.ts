// A fake of each service's receiving end on loopback: it takes what the real one's documentation says it takes,
// answers in its words, and refuses the rest. What it cannot show: that the real one has not changed.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What is answered instead of what the service would. */
  answer: ((request: Received, response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

type Service = (request: Received) => { status: number; body: string };

export async function startReceiver(service: Service): Promise<Receiver> {
  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { method = '', url: path = '', headers } = request;
      const received = { method, path, headers, body };
      receiver.received.push(received);
      if (receiver.answer) return receiver.answer(received, response);
      const answer = service(received);
      response.writeHead(answer.status).end(answer.body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    received: [],
    answer: null,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}

/** As docs/alerts.md tells a receiver to check it. */
export function webhookService(secret: string, now: () => number): Service {
  return ({ method, headers, body }) => {
    const timestamp = String(headers['holdfast-timestamp']);
    const expected = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest();
    const [, hex = ''] = /^v1=([0-9a-f]{64})$/.exec(String(headers['holdfast-signature'])) ?? [];
    const given = Buffer.from(hex, 'hex');
    if (method !== 'POST' || given.length !== expected.length || !timingSafeEqual(given, expected))
      return { status: 401, body: 'bad signature' };
    if (Math.abs(now() / 1000 - Number(timestamp)) > 300) return { status: 401, body: 'too old' };
    return { status: 204, body: '' };
  };
}

export function slackService(path: string): Service {
  return (request) => {
    if (request.path !== path) return { status: 404, body: 'no_service' };
    const { text } = json(request);
    if (typeof text !== 'string') return { status: 400, body: 'no_text' };
    return { status: 200, body: 'ok' };
  };
}

export function ntfyService(topic: string, token: string): Service {
  return (request) => {
    const unauthorized = '{"code":40301,"http":403,"error":"forbidden"}';
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 403, body: unauthorized };
    const message = json(request);
    const right =
      request.path === '/' &&
      message['topic'] === topic &&
      [1, 2, 3, 4, 5].includes(Number(message['priority']));
    if (!right) return { status: 400, body: '{"code":40009,"http":400,"error":"invalid request"}' };
    return { status: 200, body: '{"id":"x","event":"message"}' };
  };
}

export interface Alerts {
  /** By key: the summary of what is open. */
  open: Map<string, string>;
}

export function pagerDutyService(routingKey: string, alerts: Alerts): Service {
  return (request) => {
    const event = json(request);
    const { event_action: action, dedup_key: key, payload } = event as Record<string, never>;
    const { summary, source, severity } = (payload ?? {}) as Record<string, unknown>;
    const severities = ['critical', 'error', 'warning', 'info'];
    const complete = action === 'resolve' || (summary && source && severities.includes(String(severity)));
    if (request.path !== '/v2/enqueue' || event['routing_key'] !== routingKey || !key || !complete)
      return { status: 400, body: '{"status":"invalid event","message":"Event object is invalid"}' };
    if (action === 'trigger') alerts.open.set(String(key), String(summary));
    else alerts.open.delete(String(key));
    return {
      status: 202,
      body: `{"status":"success","message":"Event processed","dedup_key":"${String(key)}"}`,
    };
  };
}

export function healthchecksService(check: string): Service {
  return ({ path }) => {
    const [, uuid, signal] = /^\/([0-9a-f-]+)(?:\/(start|fail|log))?(?:\?rid=[0-9a-f-]+)?$/.exec(path) ?? [];
    if (uuid !== check) return { status: 404, body: 'not found' };
    return { status: 200, body: signal ? 'OK' : 'OK' };
  };
}

function json({ body }: Received): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}
