import { readFile } from 'node:fs/promises';
import { asHoldfastError } from '../domain/errors.ts';
import type { Services } from './services.ts';

/**
 * What `up` was started with is applied when `up` says so, and when nothing is applied yet. A process that is
 * started again in between applies nothing: somebody may be editing the file at that moment. What is wrong with
 * the file then keeps nobody from being served with what was applied last.
 */
export async function applyAtStart(
  services: Pick<Services, 'applyConfiguration' | 'currentConfiguration'>,
  path: string,
  asked: boolean,
  warn: (message: string) => void,
): Promise<void> {
  const dryRun = !asked && (await services.currentConfiguration()) !== null;
  try {
    const source = await readFile(path, 'utf8');
    const { changed } = await services.applyConfiguration(
      { name: 'up', role: 'admin' },
      { source, path, dryRun },
    );
    if (dryRun && changed)
      warn(`${path} is not what is applied, and a restart does not apply it: \`holdfast apply\` does`);
  } catch (error) {
    if (asked) throw error;
    const { message, cause } = asHoldfastError(error, `reading ${path} failed`);
    warn(`what was applied last is served: ${message}: ${cause}`);
  }
}
