// What a waiting person sees, on standard error: on a terminal one line per asset, rewritten in place; else
// one line per event.

import { formatByteRate, formatBytes } from '../domain/bytes.ts';
import { formatDuration } from '../domain/duration.ts';
import type { HoldfastError } from '../domain/errors.ts';
import type { Job, JobAsset, JobEvent } from '../domain/job.ts';
import { printable } from './printable.ts';
import type { View } from './wait.ts';
import { exact } from './when.ts';

export interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export function viewFor(terminal: Terminal = process.stderr): View {
  return terminal.isTTY ? liveView(terminal) : plainView(terminal);
}

export function eventLine({ at, level, asset, step, message }: JobEvent): string {
  const mark = level === 'info' ? '' : `${level}: `;
  return printable([exact(at).slice(11), asset, step, `${mark}${message}`].filter(Boolean).join('  '));
}

/** `uploads   upload   42 %  1.2 GiB of 2.9 GiB  48 MiB/s  36 s left`, and how long the job has run. */
export function assetLine({ asset, status, proof, progress, error }: JobAsset, width: number): string {
  const name = printable(asset).padEnd(width);
  if (status === 'failed') return `${name}  failed   ${printable(error?.message ?? '')}`;
  if (status !== 'running' || !progress) return `${name}  ${status}${proof ? `, ${proof}` : ''}`;
  const { phase, bytesDone, bytesTotal, bytesPerSecond, etaSeconds } = progress;
  const percent = bytesTotal ? `${Math.min(100, Math.floor((100 * bytesDone) / bytesTotal))} %` : '';
  return [
    name,
    printable(phase).padEnd(8),
    percent.padStart(5),
    bytesTotal ? `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}` : formatBytes(bytesDone),
    bytesPerSecond > 0 ? formatByteRate(bytesPerSecond) : '',
    etaSeconds === null ? '' : `${formatDuration(etaSeconds)} left`,
  ]
    .filter(Boolean)
    .join('  ');
}

function plainView(terminal: Terminal): View {
  let said = false;
  return {
    update: (_job, events) => {
      for (const event of events) terminal.write(`${eventLine(event)}\n`);
      said = false;
    },
    lost: (error) => {
      if (!said) terminal.write(`${lostLine(error)}\n`);
      said = true;
    },
    close: () => {},
  };
}

/** Warnings and errors scroll by above; the lines of the assets stay below and are redrawn. */
function liveView(terminal: Terminal): View {
  let drawn = 0;
  const draw = (above: string[], lines: string[]) => {
    const columns = Math.max(20, terminal.columns ?? 80) - 1;
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    const text = [...above, ...lines.map((line) => line.slice(0, columns))].map(
      (line) => `\u001b[2K${line}\n`,
    );
    terminal.write(`${up}\r\u001b[J${text.join('')}`);
    drawn = lines.length;
  };
  let lines: string[] = [];
  return {
    update: (job, events) => {
      const notable = events.filter(({ level }) => level !== 'info').map(eventLine);
      lines = jobLines(job, new Date());
      draw(notable, lines);
    },
    lost: (error) => draw([], [...lines, lostLine(error)]),
    close: () => draw([], []),
  };
}

function jobLines(job: Job, now: Date): string[] {
  const width = Math.max(0, ...job.assets.map(({ asset }) => printable(asset).length));
  const seconds = (now.getTime() - Date.parse(job.startedAt)) / 1000;
  const running = `${job.type}${job.policy ? ` of ${job.policy}` : ''}, ${formatDuration(Math.max(0, Math.round(seconds)))}`;
  return [running, ...job.assets.map((asset) => `  ${assetLine(asset, width)}`)];
}

function lostLine(error: HoldfastError): string {
  return printable(`${error.cause}; the job goes on, waiting for the service`);
}
