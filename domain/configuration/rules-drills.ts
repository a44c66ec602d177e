// Whether a drill's words go together, and with the rest of the file: what it names is there, its assets have a
// copy in the repository it comes from, and what it is held to can be measured.

import { variableOf } from '../drills/variables.ts';
import { valueAt } from './findings.ts';
import { suggestion } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import { shownKey } from './shown-value.ts';

export function brokenDrills(document: unknown): Finding[] {
  const drills = listAt(document, ['drills']);
  const names = drills.map((_, index) => valueAt(document, ['drills', index, 'name']));
  return drills.flatMap((_, index) => {
    const path: Path = ['drills', index];
    const first = names.indexOf(names[index]);
    const repeated = typeof names[index] === 'string' && first !== index;
    return [
      ...(repeated
        ? [
            {
              path: [...path, 'name'],
              firstAt: ['drills', first, 'name'],
              message: 'another drill has this name',
              fix: 'rename one of them',
            },
          ]
        : []),
      ...unknownNames(document, path),
      ...withoutScope(document, path),
      ...contradictions(document, path),
      ...withoutCopy(document, path),
      ...sameVariable(document, path),
    ];
  });
}

function unknownNames(document: unknown, path: Path): Finding[] {
  const known = (key: string) =>
    listAt(document, [key])
      .map((_, index) => valueAt(document, [key, index, 'name']))
      .filter((name) => typeof name === 'string');
  const named = (key: string) =>
    listAt(document, [...path, key]).map((name, index) => ({ at: [...path, key, index], name }));
  const unknown = (places: { at: Path; name: unknown }[], key: string, what: string): Finding[] =>
    places.flatMap(({ at, name }) => {
      if (typeof name !== 'string' || known(key).includes(name)) return [];
      const shown = known(key).filter((one) => /^[a-z0-9]/.test(one) && shownKey(one) === one);
      const fix = suggestion(name, shown, `define it under ${key}`);
      return [{ path: at, message: `no ${what} has this name`, fix }];
    });
  const from = { at: [...path, 'from'], name: valueAt(document, [...path, 'from']) };
  return [
    ...unknown(named('policies'), 'policies', 'policy'),
    ...unknown(named('assets'), 'assets', 'asset'),
    ...unknown([from], 'repositories', 'repository'),
  ];
}

function withoutScope(document: unknown, path: Path): Finding[] {
  const scoped = ['policies', 'assets', 'classes'].some((key) => listAt(document, [...path, key]).length > 0);
  if (scoped || !isMapping(valueAt(document, path))) return [];
  return [
    {
      path,
      message: 'the drill brings nothing back',
      fix: 'name its policies, assets or classes, for example policies: [critical]',
    },
  ];
}

function contradictions(document: unknown, path: Path): Finding[] {
  const at = (...keys: string[]) => valueAt(document, [...path, ...keys]);
  const found: Finding[] = [];
  if (at('every') !== undefined && at('cron') !== undefined) {
    const message = 'the drill has both every and cron';
    const fix = 'keep one of the two';
    found.push({ path: [...path, 'cron'], atKey: true, firstAt: [...path, 'every'], message, fix });
  }
  const random = at('select') === 'random' || isMapping(at('select'));
  if (random && at('objectives', 'rpo') !== undefined) {
    const message = 'a point chosen at random says nothing of how much would be lost';
    const fix = 'take rpo out, or write select: latest';
    found.push({ path: [...path, 'objectives', 'rpo'], atKey: true, message, fix });
  }
  const http = listAt(document, [...path, 'smoke']).findIndex((one) => isMapping(one) && 'http' in one);
  if (http >= 0 && at('start') === undefined) {
    const message = 'nothing is started in the clean room that could answer';
    const fix = 'write start: [./app] with what is to be asked; it is told its port as HOLDFAST_DRILL_PORT';
    found.push({ path: [...path, 'smoke', http, 'http'], message, fix });
  }
  if (isMapping(at('kit')) && at('scenario') !== 'keyLoss') {
    const message =
      'the recovery kit is rehearsed where the key is lost, and this drill plays something else';
    found.push({ path: [...path, 'kit'], atKey: true, message, fix: 'write scenario: keyLoss' });
  }
  return found;
}

/** Each asset has to come to that repository by one of its policies, or there will never be anything to restore. */
function withoutCopy(document: unknown, path: Path): Finding[] {
  const from = valueAt(document, [...path, 'from']);
  const known = listAt(document, ['repositories']).some((_, index) => {
    return valueAt(document, ['repositories', index, 'name']) === from;
  });
  if (typeof from !== 'string' || !known) return [];
  const policies = listAt(document, ['policies']).map((_, index) => ({
    name: valueAt(document, ['policies', index, 'name']),
    assets: listAt(document, ['policies', index, 'assets']),
    stores: [
      valueAt(document, ['policies', index, 'repository']),
      ...listAt(document, ['policies', index, 'copies']).map((copy) =>
        isMapping(copy) ? copy['repository'] : copy,
      ),
    ],
  }));
  const none = (at: Path, whose: string): Finding => ({
    path: at,
    message: `${whose} has no copy in ${shownKey(from)}`,
    fix: 'add the repository to the copies of the policy, or drill from where there is one',
  });
  return [
    ...listAt(document, [...path, 'policies']).flatMap((name, index) => {
      const policy = policies.find((one) => one.name === name);
      return policy && !policy.stores.includes(from)
        ? [none([...path, 'policies', index], 'the policy')]
        : [];
    }),
    ...listAt(document, [...path, 'assets']).flatMap((name, index) => {
      const own = policies.filter(({ assets }) => assets.includes(name));
      const stored = own.some(({ stores }) => stores.includes(from));
      return own.length > 0 && !stored ? [none([...path, 'assets', index], 'the asset')] : [];
    }),
  ];
}

/** Smoke tests find an asset by a variable that has only capitals, digits and `_`: `a-b` and `a.b` would be one. */
function sameVariable(document: unknown, path: Path): Finding[] {
  const named = (key: string) => listAt(document, [...path, key]);
  if (named('smoke').length === 0 && named('start').length === 0) return [];
  const policies = listAt(document, ['policies']).flatMap((_, index) => {
    const name = valueAt(document, ['policies', index, 'name']);
    return named('policies').includes(name) ? listAt(document, ['policies', index, 'assets']) : [];
  });
  const assets = listAt(document, ['assets'])
    .map((_, index) => ({
      name: valueAt(document, ['assets', index, 'name']),
      class: valueAt(document, ['assets', index, 'class']) ?? 'standard',
    }))
    .filter(
      (asset) =>
        [...policies, ...named('assets')].includes(asset.name) || named('classes').includes(asset.class),
    )
    .flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  const firstOf = new Map<string, string>();
  return [...new Set(assets)].flatMap((asset): Finding[] => {
    const variable = variableOf(asset);
    const first = firstOf.get(variable);
    if (first === undefined) firstOf.set(variable, asset);
    if (first === undefined) return [];
    return [
      {
        path,
        message: `smoke tests would be told of ${shownKey(first)} and ${shownKey(asset)} by one name, ${variable}`,
        fix: 'rename one of them with renamedFrom, or bring them back in two drills',
      },
    ];
  });
}

function listAt(document: unknown, path: Path): unknown[] {
  const value = valueAt(document, path);
  return Array.isArray(value) ? value : [];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
