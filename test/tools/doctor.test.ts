import assert from 'node:assert/strict';
import { join } from 'node:path';
import { inspectTools, isSound } from '../../tools/doctor.ts';
import { fakeTool, installableTool, putProgram, withDirectory } from './fake-tools.ts';

describe('the inspection of the tools', () => {
  it('tells where each was found and by whom it is needed', () =>
    withDirectory(async (directory) => {
      const path = await putProgram(join(directory, 'bin'), '2.3.4');
      const { tools } = await inspectTools({
        manifest: { fake: fakeTool },
        cacheDirectory: join(directory, 'cache'),
        searchPath: [join(directory, 'bin')],
      });
      const found = { name: 'fake', version: '2.3.4', path, origin: 'path', ok: true, hint: '' };
      assert.deepEqual(tools, [{ ...found, neededBy: ['tests'], neededFor: 'run' }]);
    }));

  it('shows what is missing with what to do, and brings nothing in', () =>
    withDirectory(async (directory) => {
      const inspection = await inspectTools({
        manifest: { fake: installableTool, rehearsal: { ...installableTool, neededFor: 'tests' } },
        cacheDirectory: join(directory, 'cache'),
        searchPath: [],
      });
      const [fake] = inspection.tools;
      assert.equal(fake?.ok, false);
      assert.equal(fake?.path, null);
      assert.match(fake.hint, /no fake in its 0 folders.*put fake 2\.0\.0 or newer on the PATH/);
      assert.equal(isSound(inspection), false);
    }));

  it('is sound without a tool that only tests need', () =>
    withDirectory(async (directory) => {
      const { tools } = await inspectTools({
        manifest: { rehearsal: { ...installableTool, neededFor: 'tests' } },
        cacheDirectory: join(directory, 'cache'),
        searchPath: [],
      });
      assert.equal(tools[0]?.ok, false);
      assert.ok(isSound({ tools, checks: [] }));
    }));

  it('checks the platform, Node.js and a cache folder that is still to be made', () =>
    withDirectory(async (directory) => {
      const { checks } = await inspectTools({ manifest: {}, cacheDirectory: join(directory, 'a/b/c') });
      assert.deepEqual(
        checks.map(({ name }) => name),
        ['platform', 'node', 'tool cache'],
      );
      assert.match(checks[2]!.detail, /GiB free$/);
    }));
});
