import { createRequire } from 'node:module';
import type { WorkflowHandle } from '@temporalio/client';

// Histories as Temporal's own tools write them (`temporal workflow show --output json`). The SDK's
// `historyToJSON` and `historyFromJSON` do the same, but refuse their own types while npm installs a copy of
// protobufjs for each of its packages, as it does beside grpc-js's older one: here both come from one copy.

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

const fromWorker = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
const protocolFile = fromWorker.resolve('@temporalio/proto');
const { toJson, fromJson } = createRequire(protocolFile)('protobufjs/ext/protojson') as {
  toJson(type: unknown, message: unknown): unknown;
  fromJson(type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }): History;
};
const protocol = fromWorker('@temporalio/proto') as {
  lookupType(name: string): { fromObject(plain: unknown): unknown };
};
const historyType = protocol.lookupType('temporal.api.history.v1.History');

export function historyToJson(history: History): unknown {
  return toJson(historyType, historyType.fromObject(history));
}

export function historyFromJson(json: unknown): History {
  return fromJson(historyType, json, { ignoreUnknownFields: true });
}
