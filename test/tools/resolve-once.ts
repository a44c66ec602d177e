// A process of its own that resolves the fake tool with a builder of its own, for tests of two at once and of
// one that is killed: `resolve-once.ts <folder> wait|hang`. It tells what it does through files in the folder.
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { resolveTool } from '../../tools/resolve.ts';
import { silent } from '../../tools/progress.ts';
import { installableTool, putProgram } from './fake-tools.ts';

const [directory, mode] = process.argv.slice(2) as [string, 'wait' | 'hang'];
const told = (file: string) => existsSync(join(directory, file));
const tell = (file: string) => appendFileSync(join(directory, file), 'x');

const found = await resolveTool('fake', {
  manifest: { fake: installableTool },
  cacheDirectory: join(directory, 'cache'),
  searchPath: [],
  progress: { ...silent, say: () => tell('waiting') },
  installers: {
    release: async (request) => {
      await putProgram(request.directory, request.definition.version);
      tell('builds');
      while (mode === 'hang' || !told('waiting')) await pause(20);
    },
  },
});
process.stdout.write(JSON.stringify(found));
