import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The workflows as Temporal's sandbox loads them. Made once for each state of their sources: bundling takes
 * seconds, and every start and every test wants the same one.
 */
export async function workflowBundle(cacheFolder: string): Promise<{ codePath: string }> {
  const codePath = join(cacheFolder, 'workflow-bundles', `${await digestOfSources()}.js`);
  if (await isThere(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', 'index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  const temporary = `${codePath}.${process.pid}`;
  await mkdir(join(cacheFolder, 'workflow-bundles'), { recursive: true });
  // A power cut must not leave an empty one under its final name.
  await writeFile(temporary, code, { flush: true });
  await rename(temporary, codePath);
  return { codePath };
}

async function isThere(file: string): Promise<boolean> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  return size > 0;
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')));
  for (const folder of ['workflows', 'domain']) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((one) => one.endsWith('.ts')).sort()) {
      hash.update(`${folder}/${name}\0`).update(await readFile(join(root, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}
