import type {
  IncidentMessage,
  MessageItem,
  PingMessage,
  TestMessage,
} from '../../../domain/incidents/message.ts';

const createdAt = '2026-11-20T02:00:00.000Z';

export const anItem = (change: Partial<MessageItem> = {}): MessageItem => ({
  id: 'i-12',
  key: 'asset/orders/rpo',
  topic: 'objective',
  severity: 'page',
  policies: ['daily'],
  asset: 'orders',
  title: 'orders misses its recovery point objective of 1 d',
  reason: 'its newest verified recovery point is 30 h old: "könnte <!channel> & mehr"',
  next: '`holdfast backup run daily`',
  openedAt: createdAt,
  lastSeenAt: createdAt,
  resolvedAt: null,
  event: 'opened',
  thread: '11111111-1111-4111-8111-111111111111',
  endsThread: false,
  ...change,
});

export const incidents = (id: string, ...items: MessageItem[]): IncidentMessage => ({
  kind: 'incidents',
  id,
  createdAt,
  items,
});

export const aTest: TestMessage = {
  kind: 'test',
  id: '22222222-2222-4222-8222-222222222222',
  createdAt,
  by: 'alice',
};

export const aPing = (signal: PingMessage['signal']): PingMessage => ({
  kind: 'ping',
  id: '33333333-3333-4333-8333-333333333333',
  createdAt,
  signal,
  policy: 'daily',
  jobId: '44444444-4444-4444-8444-444444444444',
  jobType: 'backup',
  words: signal,
});
