// Starts one of the project's programs (`cli/main.ts`, `api/main.ts`, `workers/main.ts`) from JavaScript that esbuild
// made of it: a third of the time that tsx needs to begin. It is made where none is there of these very files, and
// kept under node_modules/.cache; where nothing can be kept, tsx runs the TypeScript as it is.
//
//   node tools/program.mjs workers/main.ts [arguments]
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const programs = ['cli/main.ts', 'api/main.ts', 'workers/main.ts'];
const rooms = [
  'activities',
  'api',
  'catalog',
  'cli',
  'client',
  'domain',
  'schedules',
  'tools',
  'workers',
  'workflows',
];
/** Others may still run what was made of older files: a program loads some of its parts late. */
const OLD_MILLISECONDS = 7 * 86_400_000;

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [program] = process.argv.splice(2, 1);
  await start(program);
}

/** @param {string} program */
export async function start(program) {
  const made = await compiled();
  if (made !== null) {
    process.setSourceMapsEnabled(true);
    await import(pathToFileURL(join(made, program.replace(/\.ts$/, '.mjs'))).href);
    return;
  }
  const { register } = await import('tsx/esm/api');
  // The project's own tsconfig.json is named, or tsx would look for one in the caller's folder.
  register({ tsconfig: join(root, 'tsconfig.json') });
  await import(pathToFileURL(join(root, program)).href);
}

/** Folder of the JavaScript; null where it cannot be written. */
async function compiled() {
  const kept = join(root, 'node_modules', '.cache', 'holdfast');
  const made = join(kept, stamp());
  if (isReadable(made)) return made;
  let making;
  try {
    mkdirSync(kept, { recursive: true });
    making = mkdtempSync(join(kept, 'making-'));
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'].includes(error.code)) return null;
    throw error;
  }
  try {
    await compile(making);
    // Whoever may read the sources may read this.
    chmodSync(making, 0o755);
    clearUp(kept);
    renameSync(making, made);
  } catch (error) {
    // Another process was first.
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return isReadable(made) ? made : null;
}

function isReadable(made) {
  try {
    accessSync(join(made, programs[0].replace(/\.ts$/, '.mjs')), constants.R_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code)) return false;
    throw error;
  }
}

/** Of every source file's path, size and time: changed, unpacked or moved ones are other files. */
function stamp() {
  const hash = createHash('sha256').update(`${root}\0${process.version}\0`);
  for (const file of [
    join(root, 'package-lock.json'),
    ...rooms.flatMap((room) => sources(join(root, room))),
  ]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex').slice(0, 32);
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

async function compile(folder) {
  const { build } = await import('esbuild');
  await build({
    ...{ absWorkingDir: root, entryPoints: programs, outbase: root, outdir: folder },
    ...{
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
    },
    ...{ outExtension: { '.js': '.mjs' }, sourcemap: true, sourcesContent: false, logLevel: 'error' },
    plugins: [{ name: 'places', setup: keepPlaces }],
  });
}

/** Files that a source names beside itself stay beside it. */
function keepPlaces({ onLoad }) {
  onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const text = readFileSync(path, 'utf8');
    const places = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) };
    const contents = text.replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, of) =>
      JSON.stringify(places[of]),
    );
    return { contents, loader: 'ts' };
  });
}

function clearUp(kept) {
  for (const name of readdirSync(kept)) {
    const path = join(kept, name);
    if (Date.now() - statSync(path).mtimeMs > OLD_MILLISECONDS)
      rmSync(path, { recursive: true, force: true });
  }
}
