// mocha's own spec reporter, which also prints why a test was skipped and ends with the one line that
// says it all: `N passed, N failed, N skipped`.
const { reporters } = require('mocha');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test));
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      for (const test of skipped) {
        console.log(
          `skipped: ${test.fullTitle()}: ${test.skipReason ?? test.parent?.skipReason ?? 'no reason given'}`,
        );
      }
      console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
    });
  }
};
