// What a person sees while tools are brought in: what, why and how long it took. One line a step; on a terminal
// the running step counts its seconds.
import { clearLine, cursorTo } from 'node:readline';
import pc from 'picocolors';

export interface Progress {
  begin(what: string): void;
  /** Ends the step begun last. */
  done(what: string): void;
  /** Ends the step begun last, without success; the set-up goes on with the next way. */
  gaveUp(what: string): void;
  say(line: string): void;
}

export const silent: Progress = { begin() {}, done() {}, gaveUp() {}, say() {} };

export function progressOn(stream: NodeJS.WriteStream): Progress {
  const colors = pc.createColors(pc.isColorSupported && stream.isTTY);
  let begun = Date.now();
  let ticking: NodeJS.Timeout | undefined;

  const clear = () => {
    if (ticking === undefined) return;
    clearInterval(ticking);
    ticking = undefined;
    clearLine(stream, 0);
    cursorTo(stream, 0);
  };
  const end = (mark: string, what: string) => {
    clear();
    stream.write(`${mark} ${what} ${colors.dim(`(${seconds(begun)})`)}\n`);
  };

  return {
    begin(what) {
      clear();
      begun = Date.now();
      if (!stream.isTTY) {
        stream.write(`… ${what}\n`);
        return;
      }
      const draw = () => {
        cursorTo(stream, 0);
        stream.write(`… ${what} ${colors.dim(seconds(begun))}`.slice(0, stream.columns + 8));
        clearLine(stream, 1);
      };
      ticking = setInterval(draw, 1000);
      draw();
    },
    done: (what) => end(colors.green('✔'), what),
    gaveUp: (what) => end(colors.yellow('!'), what),
    say(line) {
      clear();
      stream.write(`${line}\n`);
    },
  };
}

export function seconds(since: number): string {
  const elapsed = (Date.now() - since) / 1000;
  return elapsed < 10 ? `${elapsed.toFixed(1)} s` : `${Math.round(elapsed)} s`;
}
