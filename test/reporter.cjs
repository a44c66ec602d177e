// mocha's own spec reporter, which also prints why a test was skipped and ends with the one line that says it all:
// `N passed, N failed, N skipped`. As one of several groups (tools/test.ts) it leaves its counts, and what failed,
// in a file instead.
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test));
    const failed = [];
    runner.on('fail', (test, error) => failed.push(`${test.fullTitle()}\n${error.stack ?? error}`));
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      for (const test of skipped) {
        console.log(
          `skipped: ${test.fullTitle()}: ${test.skipReason ?? test.parent?.skipReason ?? 'no reason given'}`,
        );
      }
      const counts = process.env.HOLDFAST_TEST_COUNTS;
      if (counts) writeFileSync(counts, JSON.stringify({ passes, failures, pending, failed }));
      else console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
};
