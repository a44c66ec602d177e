// Who may import whom. One line per room: what it may import, and the reason a reader gets when it imports
// something else. `docs/architecture.md` shows the same as a picture.

/**
 * @typedef {object} Room
 * @property {string[]} may rooms it may import, beside itself
 * @property {string[]} [types] rooms it may import with `import type` only
 * @property {string[]} [files] single files it may import, of rooms it otherwise may not
 * @property {boolean} [builtins] false: no Node built-ins
 * @property {string[]} [packages] the only packages it may import; absent: any
 * @property {string} why
 */

/** @type {Record<string, Room>} */
export const rooms = {
  domain: {
    may: [],
    builtins: false,
    packages: ['zod', 'yaml', 'ms', 'bytes', 'croner'],
    why: 'the words and rules are pure functions: workflows run them in a sandbox without I/O and replay them for ever',
  },
  workflows: {
    may: ['domain'],
    types: ['activities'],
    builtins: false,
    packages: ['@temporalio/workflow', '@temporalio/common'],
    why: 'workflow code is replayed from history: anything that touches the world belongs in an activity',
  },
  activities: {
    may: ['domain', 'catalog', 'tools'],
    why: 'the hands do single steps: the order of the steps is the business of workflows, and who asked for them of api',
  },
  catalog: {
    may: ['domain'],
    why: 'the catalogue records what happened: it must not be able to make anything happen',
  },
  client: {
    may: ['domain'],
    types: ['workflows'],
    files: ['workflows/messages.ts'],
    why: 'a client knows workflows by their names and messages: importing one would run workflow code outside Temporal',
  },
  schedules: {
    may: ['domain'],
    types: ['workflows'],
    files: ['workflows/messages.ts'],
    why: 'a schedule names the workflow it starts: it must not depend on how that is carried out',
  },
  workers: {
    may: ['activities', 'workflows', 'catalog', 'client', 'schedules', 'domain', 'tools'],
    why: 'a worker runs without the API beside it, on any host',
  },
  api: {
    may: ['client', 'catalog', 'domain'],
    why: 'a request starts, asks and records: work outlives the request, so a workflow does it',
  },
  cli: {
    may: ['domain', 'tools'],
    why: 'the command line is a client of the API over HTTP, so that everything it can do is allowed, recorded and possible for others too',
  },
  tools: {
    may: ['domain'],
    why: 'set-up runs before anything else is there, and must not need what it sets up',
  },
};

/** Files with one room more than their own has, and what for. */
export const doors = [
  // `up` and `down` start and stop the other two rooms.
  { file: /^cli\/(up[^/]*|down)\.ts$/, may: ['workers', 'api'] },
  // `recover` has no service to ask: it does with its own hands what there will be one from.
  { file: /^cli\/recover[^/]*\.ts$/, may: ['workers'] },
  // Applying a configuration brings the Schedules in line, and status tells the next run.
  { file: /^api\/wiring\//, may: ['schedules'] },
  // The production it makes up, to lose and restore, has a PostgreSQL server.
  { file: /^tools\/demo/, may: ['activities'] },
  // They drive the finished program the way a person does.
  { file: /^tools\/(demo|test)/, may: ['cli'] },
];

/** Parts of a room whose files may not see these packages. */
export const blinds = [
  {
    file: /^activities\/(sources|hosts|repositories|verify)\//,
    packages: /^@temporalio\//,
    why: 'a driver sees its Step only (activities/step.ts), so that tests and other programs can run it without Temporal',
  },
];
