/** Skips the running test or suite and leaves the reason for the closing list: a skip always says why. */
export function skipBecause(context: Mocha.Context, reason: string): never {
  for (const subject of [context.test, context.currentTest, context.test?.parent]) {
    if (subject) (subject as { skipReason?: string }).skipReason ??= reason;
  }
  return context.skip();
}
