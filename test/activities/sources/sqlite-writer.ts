import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';

/** Runs statements and ends; the database is closed cleanly. */
export function sql(path: string, statements: string): string {
  return execFileSync('sqlite3', ['-batch', '-init', '/dev/null', path], {
    input: statements,
    encoding: 'utf8',
  });
}

/** A sqlite3 that stays: what it opened stays open, and it can be killed like any application. */
export class Writer {
  readonly #child: ChildProcessWithoutNullStreams;
  #output = '';
  #questions = 0;

  constructor(path: string) {
    this.#child = spawn('sqlite3', ['-batch', '-init', '/dev/null', path]);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.stdin.on('error', () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Returns when the statements have run. */
  async run(statements: string): Promise<void> {
    const mark = `done-${(this.#questions += 1)}`;
    this.#child.stdin.write(`${statements};\nSELECT '${mark}';\n`);
    while (!this.#output.includes(`${mark}\n`)) await once(this.#child.stdout, 'data');
  }

  /** Keeps writing until `stop`, as fast as it can. */
  keepWriting(statement: string): { stop(): Promise<number> } {
    let writing = true;
    let count = 0;
    const done = (async () => {
      while (writing) {
        await this.run(statement);
        count += 1;
      }
    })();
    return {
      stop: async () => {
        writing = false;
        await done;
        return count;
      },
    };
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
