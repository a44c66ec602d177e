import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/**
 * The lines of a file as bytes (latin1), split at \n and at nothing else: readline also splits at \r, which
 * a tool may print inside a name. A name that ends in `.gz` is decompressed.
 */
export async function* readLines(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const stream = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  source.on('error', (error) => stream.destroy(error));
  try {
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + (chunk as Buffer).toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } finally {
    source.destroy();
  }
}

const WRITTEN_TOGETHER = 64 * 1024;

export interface LineWriter {
  write(line: string): Promise<void>;
  close(): Promise<void>;
  /** Releases the file when it will not be finished; harmless after `close`. */
  discard(): void;
}

/** Creates the file 0600 and holds back the writer while the disk is behind. `end` is written after each line. */
export function writeLines(file: string, end = '\n'): LineWriter {
  const stream = createWriteStream(file, { mode: 0o600 });
  let failure: Error | null = null;
  let pending = '';
  stream.on('error', (error) => (failure = error));
  const flush = async () => {
    if (failure) throw failure;
    const chunk = Buffer.from(pending, 'latin1');
    pending = '';
    if (!stream.write(chunk)) await once(stream, 'drain');
  };
  return {
    async write(line) {
      pending += line + end;
      if (pending.length >= WRITTEN_TOGETHER) await flush();
    },
    async close() {
      await flush();
      stream.end();
      if (!stream.closed) await once(stream, 'close');
      if (failure) throw failure;
    },
    discard: () => void stream.destroy(),
  };
}

export async function compressFile(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from), createGzip({ level: 1 }), createWriteStream(to, { mode: 0o600 }));
}
