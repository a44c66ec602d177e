import assert from 'node:assert/strict';
import type { JobEvent } from '../../domain/job.ts';
import { viewFor } from '../../cli/view.ts';
import { relative, when } from '../../cli/when.ts';
import { sampleJob } from '../api/services-double.ts';

const progress = {
  phase: 'store',
  bytesDone: 2 ** 30,
  bytesTotal: 4 * 2 ** 30,
  filesDone: 1,
  filesTotal: null,
  bytesPerSecond: 48 * 2 ** 20,
  etaSeconds: 64,
};

describe('what a waiting person sees', () => {
  const [asset] = sampleJob('job-1').assets;
  const running = sampleJob('job-1', {
    status: 'running',
    endedAt: null,
    assets: [{ ...asset!, status: 'running', progress }],
  });
  const warning: JobEvent = {
    sequence: 1,
    at: '2026-11-20T10:00:01.000Z',
    level: 'warning',
    asset: 'uploads',
    step: 'snapshot',
    message: 'changed \u001b[31mwhile read',
  };

  it('on a terminal: one line per asset, rewritten in place, warnings above it', () => {
    let screen = '';
    const view = viewFor({ isTTY: true, columns: 90, write: (text) => (screen += text) });
    view.update(running, []);
    assert.match(screen, /uploads {2}store +25 % {2}1 GiB of 4 GiB {2}48 MiB\/s {2}1 m 4 s left\n$/);
    screen = '';
    view.update(running, [warning]);
    assert.ok(screen.startsWith('\u001b[2A\r\u001b[J'), 'two lines up, and cleared');
    assert.match(screen, /10:00:01Z {2}uploads {2}snapshot {2}warning: changed \\u001b\[31mwhile read\n/);
    screen = '';
    view.close();
    assert.equal(screen, '\u001b[2A\r\u001b[J', 'leaves nothing behind');
  });

  it('elsewhere: a line per event, and no control sequence', () => {
    let text = '';
    const view = viewFor({ write: (piece) => (text += piece) });
    view.update(running, [warning]);
    view.update(running, []);
    view.close();
    assert.equal(text, '10:00:01Z  uploads  snapshot  warning: changed \\u001b[31mwhile read\n');
  });

  it('keeps a narrow terminal to one row per line', () => {
    let screen = '';
    viewFor({ isTTY: true, columns: 30, write: (text) => (screen += text) }).update(running, []);

    for (const line of screen.replaceAll(/\u001b\[\d?[A-Z]/g, '').split('\n'))
      assert.ok(line.length < 30, line);
  });

  it('says when, both exactly and as a person feels it', () => {
    const now = new Date('2026-11-20T16:00:00Z');
    assert.equal(when('2026-11-20T10:00:02Z', now), '10:00:02Z (6 h ago)');
    assert.equal(when('2026-11-18T10:00:02Z', now), '2026-11-18 10:00:02Z (2 d ago)');
    assert.equal(when(null, now), '-');
    assert.equal(relative('2026-11-21T10:00:00Z', now), 'in 18 h');
  });
});
