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
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
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
/** Names every file that was made, and its size. */
const WHOLE = 'whole.json';
const DAY_MILLISECONDS = 86_400_000;
/**
 * Since the last start from there. A service may still run what was made of older files, and load a part of it late: the
 * one before is never cleared away.
 */
const OLD_MILLISECONDS = 30 * DAY_MILLISECONDS;

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

/** Folder of the JavaScript; null where none can be kept. */
async function compiled() {
  const kept = join(root, 'node_modules', '.cache', 'holdfast');
  const made = join(kept, stamp());
  if (isWhole(made)) {
    inUse(made);
    return made;
  }
  let making;
  try {
    mkdirSync(kept, { recursive: true });
    making = mkdtempSync(join(kept, 'making-'));
    await compile(making);
    putInPlace(making, made);
  } catch (error) {
    // Whatever is wrong here must keep nobody from a restore: the sources are there.
    const expected = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(error.code);
    if (!expected)
      process.stderr.write(`holdfast: starts from its sources, none could be kept: ${error.message}\n`);
  } finally {
    if (making !== undefined) attempt(() => rmSync(making, { recursive: true, force: true }));
  }
  attempt(() => clearUp(kept, made));
  return isWhole(made) ? made : null;
}

function putInPlace(making, made) {
  const sizes = Object.fromEntries(
    files(making).map((file) => [relative(making, file), statSync(file).size]),
  );
  writeFileSync(join(making, WHOLE), JSON.stringify(sizes));
  // Whoever may read the sources may read this.
  chmodSync(making, 0o755);
  try {
    renameSync(making, made);
  } catch (error) {
    // Another process was first, or a power cut left a torn one there.
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    if (isWhole(made)) return;
    renameSync(made, `${making}.torn`);
    renameSync(making, made);
    rmSync(`${making}.torn`, { recursive: true, force: true });
  }
}

function isWhole(made) {
  try {
    const sizes = Object.entries(JSON.parse(readFileSync(join(made, WHOLE), 'utf8')));
    for (const [name] of sizes) accessSync(join(made, name), constants.R_OK);
    return sizes.every(([name, size]) => statSync(join(made, name)).size === size);
  } catch {
    // Not there, torn, or not ours to read: then it is made, or done without.
    return false;
  }
}

/** Whoever clears up goes by the last start. */
function inUse(made) {
  const now = new Date();
  attempt(() => {
    if (now - statSync(made).mtimeMs > DAY_MILLISECONDS) utimesSync(made, now, now);
  });
}

/** Of what every file holds that something is made of, and of where it lies. */
function stamp() {
  const hash = createHash('sha256').update(`${root}\0${process.version}\0`);
  const others = ['package.json', 'package-lock.json', 'tsconfig.json', 'tools/program.mjs'];
  const all = [
    ...others.map((name) => join(root, name)),
    ...rooms.flatMap((room) => files(join(root, room)).filter((file) => file.endsWith('.ts'))),
  ];
  for (const file of all.sort()) {
    const content = readFileSync(file);
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
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

function clearUp(kept, made) {
  const others = readdirSync(kept)
    .map((name) => join(kept, name))
    .filter((path) => path !== made)
    .map((path) => ({ path, usedAt: statSync(path).mtimeMs }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { path, usedAt } of others.slice(1))
    if (Date.now() - usedAt > OLD_MILLISECONDS) rmSync(path, { recursive: true, force: true });
}

/** What nobody waits for. */
function attempt(work) {
  try {
    work();
  } catch {
    // It is tried again at the next start.
  }
}
