// POSIX paths as text: `domain` has no `node:path`.

/** `path` seen from `folder` (absolute), without `.`, `..`, doubled or trailing slashes. */
export function resolvePath(folder: string, path: string): string {
  const kept: string[] = [];
  for (const step of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (step === '..') kept.pop();
    else if (step !== '' && step !== '.') kept.push(step);
  }
  return `/${kept.join('/')}`;
}

/** Whether `inner` is `outer` or lies below it; both as `resolvePath` returns them. */
export function isWithin(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}
