import { join } from 'node:path';
import type { Repository } from '../../activities/repositories/repository.ts';
import { createResticRepository } from '../../activities/repositories/restic.ts';
import type { Step } from '../../activities/step.ts';
import { resolveTool } from '../../tools/resolve.ts';
import type { GivenRepository } from './request.ts';

/** What a repository is called before its own points have told its name. */
const AS_GIVEN = '--repository';

/** Brings in the tools if this machine has none yet. The repository itself is first asked by what is done with it. */
export async function openGiven(given: GivenRepository, folder: string, step: Step): Promise<Repository> {
  const { path } = await tool('restic', step);
  return createResticRepository({
    name: AS_GIVEN,
    ...given,
    ...(given.url.startsWith('rclone:') && { rclone: { path: (await tool('rclone', step)).path } }),
    cacheFolder: join(folder, 'cache'),
    tool: { path },
  });
}

async function tool(name: 'restic' | 'rclone', step: Step): Promise<{ path: string }> {
  const say = (line: string) => step.say('info', line);
  const found = await resolveTool(name, { progress: { begin: say, done: say, gaveUp: say, say } });
  step.say('info', `${name} ${found.version} (${found.path})`);
  return found;
}
