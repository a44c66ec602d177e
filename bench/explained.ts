// A query's plan as PostgreSQL carried it out, in one line for a reader and as facts for a test.

import type { Query } from '../catalog/connection.ts';

export interface Explained {
  milliseconds: number;
  /** Pages of 8 KiB, found in memory and fetched. */
  hit: number;
  read: number;
  /** `Index Scan recovery_points_whole`, each once, the costliest first. */
  scans: string[];
  /** Tables that were read from end to end. */
  sequential: string[];
}

/** Carries every query out twice, once to explain it; what it says is added to `seen`. */
export function explaining(query: Query, seen: Explained[]): Query {
  return async <Row>(text: string, values: readonly unknown[] = []) => {
    const [row] = await query<{ 'QUERY PLAN': [Planned] }>(
      `explain (analyze, buffers, format json) ${text}`,
      values,
    );
    const planned = row?.['QUERY PLAN'][0];
    if (planned) seen.push(explained(planned));
    return query<Row>(text, values);
  };
}

interface Planned {
  Plan: Node;
  'Execution Time': number;
}

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Loops': number;
  'Actual Total Time': number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: Node[];
}

function explained({ Plan, 'Execution Time': milliseconds }: Planned): Explained {
  const scans = nodesOf(Plan)
    .filter((node) => node['Relation Name'] ?? node['Index Name'])
    .sort((one, other) => timeOf(other) - timeOf(one));
  return {
    milliseconds,
    hit: Plan['Shared Hit Blocks'] ?? 0,
    read: Plan['Shared Read Blocks'] ?? 0,
    scans: [...new Set(scans.map(nameOf))],
    sequential: scans.flatMap((node) =>
      node['Node Type'].endsWith('Seq Scan') ? (node['Relation Name'] ?? []) : [],
    ),
  };
}

function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function timeOf(node: Node): number {
  return node['Actual Total Time'] * node['Actual Loops'];
}

function nameOf(node: Node): string {
  return `${node['Node Type']} ${node['Index Name'] ?? node['Relation Name']}`;
}
