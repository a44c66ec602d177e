// What must hold between the control plane's own recovery points and the rest of the file, and what hardly
// anybody means.

import { CONTROL_PLANE_ASSET } from '../control-plane/bundle.ts';
import { valueAt } from './findings.ts';
import { suggestion } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import { shownKey } from './shown-value.ts';
import type { Configuration } from './types.ts';

export function brokenControlPlane(document: unknown): Finding[] {
  return [...takenNames(document), ...unusedRepositories(document)];
}

/** Said by `validate` and `apply`; allowed. */
export function controlPlaneWarnings({ controlPlane }: Configuration): Finding[] {
  if (controlPlane?.repositories?.length !== 0) return [];
  return [
    {
      path: ['controlPlane', 'repositories'],
      message: 'the control plane is stored nowhere: when this host is lost, nothing can be rebuilt',
      fix: 'name a repository, or leave repositories out for all that policies use',
    },
  ];
}

function takenNames(document: unknown): Finding[] {
  return listAt(document, ['assets']).flatMap((_, index) =>
    ['name', 'renamedFrom']
      .map((key): Path => ['assets', index, key])
      .filter((path) => valueAt(document, path) === CONTROL_PLANE_ASSET)
      .map((path) => ({
        path,
        message: 'Holdfast stores its own recovery points under this name',
        fix: 'name the asset otherwise',
      })),
  );
}

/** Where no policy stores there is no repository yet, and none is made for this alone. */
function unusedRepositories(document: unknown): Finding[] {
  const policies = listAt(document, ['policies']).map((_, index) => index);
  const used = policies.flatMap((index) => [
    valueAt(document, ['policies', index, 'repository']),
    ...listAt(document, ['policies', index, 'copies']).map((copy) =>
      typeof copy === 'string' ? copy : valueAt(copy, ['repository']),
    ),
  ]);
  const known = used.filter((name) => typeof name === 'string');
  const shown = known.filter((name) => /^[a-z0-9]/.test(name) && shownKey(name) === name);
  const path = ['controlPlane', 'repositories'];
  const named = listAt(document, path);
  return named.flatMap((name, index): Finding[] => {
    if (typeof name !== 'string') return [];
    if (named.indexOf(name) !== index)
      return [{ path: [...path, index], message: 'the repository is named twice', fix: 'name it once' }];
    if (known.includes(name)) return [];
    const fix = suggestion(name, shown, 'use it in a policy, or take it out');
    return [{ path: [...path, index], message: 'no policy stores anything in this repository', fix }];
  });
}

function listAt(document: unknown, path: Path): unknown[] {
  const value = valueAt(document, path);
  return Array.isArray(value) ? value : [];
}
