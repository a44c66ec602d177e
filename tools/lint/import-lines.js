// The lint rule behind tools/lint/rooms.js: every import, export-from, import() and import('…') type is
// resolved to the room it lands in and held against the table.
import { isBuiltin } from 'node:module';
import { dirname, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blinds, doors, rooms } from './rooms.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @type {import('eslint').Rule.RuleModule} */
export const importLines = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { refused: '{{room}} may not import {{target}}{{how}}: {{why}}. {{allowed}}' },
  },
  create(context) {
    const file = relative(root, context.filename).split(sep).join('/');
    const room = roomOf(file);
    if (room === undefined) return {};
    const judge = (source, typeOnly) => {
      if (typeof source?.value !== 'string') return;
      const refusal = refuse(file, room, source.value, typeOnly);
      if (refusal) context.report({ node: source, messageId: 'refused', data: refusal });
    };
    return {
      ImportDeclaration: (node) => judge(node.source, node.importKind === 'type'),
      ExportNamedDeclaration: (node) => judge(node.source, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => judge(node.source, node.exportKind === 'type'),
      ImportExpression: (node) => judge(node.source, false),
      TSImportType: (node) => judge(node.source ?? node.argument?.literal, true),
    };
  },
};

function refuse(file, room, source, typeOnly) {
  if (source.startsWith('.')) return refuseOwn(file, room, source, typeOnly);
  if (isBuiltin(source)) {
    if (rooms[room].builtins !== false) return null;
    return refusal(room, source, '', rooms[room].why, 'Node built-ins are I/O, or differ from run to run.');
  }
  return refusePackage(file, room, source);
}

function refuseOwn(file, room, source, typeOnly) {
  const target = posix.join(posix.dirname(file), source);
  const landed = roomOf(target);
  if (landed === room || (landed === undefined && !isRoom(target))) return null;
  const { may, types = [], files = [], why } = rooms[room];
  const opened = doors.filter((door) => door.file.test(file)).flatMap((door) => door.may);
  const wanted = target.split('/')[0];
  if (may.includes(wanted) || opened.includes(wanted) || files.includes(target)) return null;
  if (types.includes(wanted) && typeOnly) return null;
  const how = types.includes(wanted) ? ' other than by `import type`' : '';
  const list = [...may, ...types.map((name) => `types of ${name}`), ...files];
  const allowed = list.length > 0 ? `It may import ${list.join(', ')}.` : 'It imports nothing of ours.';
  return refusal(room, target, how, why, allowed);
}

function refusePackage(file, room, source) {
  const { packages, why } = rooms[room];
  const name = source.startsWith('@') ? source.split('/').slice(0, 2).join('/') : source.split('/')[0];
  const blind = blinds.find((entry) => entry.file.test(file) && entry.packages.test(name));
  if (blind) return refusal(posix.dirname(file), source, '', blind.why, 'Ask through the step.');
  if (!packages || packages.includes(name)) return null;
  return refusal(room, source, '', why, `Its packages are ${packages.join(', ')}.`);
}

function refusal(room, target, how, why, allowed) {
  return { room, target, how, why, allowed };
}

/** undefined: no line is drawn there (tests, benchmarks, files in the root). */
function roomOf(path) {
  const first = path.split('/')[0];
  return Object.hasOwn(rooms, first) && path.includes('/') ? first : undefined;
}

/** Tests, benchmarks and examples look into every room; no room looks at them. */
function isRoom(path) {
  return /^(test|bench|examples|web)\//.test(path);
}
