// What must hold between the parts of a configuration. These look at the document as written, not at the
// schema's result, so that they also speak when something else in the file is wrong.

import { parseDuration } from '../duration.ts';
import { valueAt } from './findings.ts';
import { suggestion } from './nearest.ts';
import { brokenControlPlane } from './control-plane-rules.ts';
import { brokenNotifications } from './notification-rules.ts';
import type { Finding, Path } from './problem.ts';
import { brokenRenames } from './rename-rules.ts';
import { repositoryIdentity } from './repository-url.ts';
import { brokenVerification } from './rules-verification.ts';
import { brokenDrills } from './rules-drills.ts';
import { brokenGuards } from './rules-guards.ts';
import { brokenTargets } from './rules-targets.ts';
import { brokenCopy } from './rules-copies.ts';
import { contradictingRetention } from './retention-rules.ts';
import { shownKey } from './shown-value.ts';

export function brokenRules(document: unknown, folder: string): Finding[] {
  const repositories = textsAt(document, 'repositories', 'name');
  const assets = textsAt(document, 'assets', 'name');
  return [
    ...repeated(repositories, 'another repository has this name', 'rename one of them'),
    ...repeated(assets, 'another asset has this name', 'rename one of them'),
    ...repeated(textsAt(document, 'policies', 'name'), 'another policy has this name', 'rename one of them'),
    ...sameRepository(textsAt(document, 'repositories', 'url'), folder),
    ...samePort(document),
    ...brokenRenames(document),
    ...itemsOf(document, ['repositories']).flatMap((path) => [
      ...brokenGuards(document, path),
      ...brokenTargets(document, path),
    ]),
    ...brokenDrills(document),
    ...brokenControlPlane(document),
    ...brokenNotifications(document),
    ...contradictingRetention(document, itemsOf(document, ['policies'])),
    ...itemsOf(document, ['policies']).flatMap((path) => [
      ...brokenPolicy(document, path, namesOf(assets), namesOf(repositories)),
    ]),
  ];
}

interface Place {
  path: Path;
  text: string;
}

function brokenPolicy(document: unknown, policy: Path, assets: string[], repositories: string[]): Finding[] {
  const protectedAssets = placesIn(document, [...policy, 'assets']);
  const primary = placeAt(document, [...policy, 'repository']);
  const copies = placesIn(document, [...policy, 'copies'], 'repository');
  return [
    ...unknown(protectedAssets, assets, 'no asset has this name', 'define it under assets'),
    ...repeated(protectedAssets, 'the asset is named twice', 'name it once'),
    ...unknown(
      [...primary, ...copies],
      repositories,
      'no repository has this name',
      'define it under repositories',
    ),
    ...copies
      .filter((copy) => primary.some(({ text }) => text === copy.text))
      .map(({ path }) => ({
        path,
        message: 'a copy in the repository itself is none',
        fix: 'name another repository',
      })),
    ...repeated(copies, 'the copy is named twice', 'name it once'),
    ...itemsOf(document, [...policy, 'copies']).flatMap((copy) => brokenCopy(document, copy)),
    ...cadence(document, policy),
    ...tooMuchJitter(document, policy),
    ...brokenVerification(document, [...policy, 'verification']),
    ...emptyRetention(document, [...policy, 'retention'], 'to keep everything'),
    ...itemsOf(document, [...policy, 'copies']).flatMap((copy) =>
      emptyRetention(document, [...copy, 'retention'], "for the policy's own"),
    ),
  ];
}

function unknown(places: Place[], known: string[], message: string, fix: string): Finding[] {
  return places
    .filter(({ text }) => !known.includes(text))
    .map(({ path, text }) => ({ path, message, fix: suggestion(text, suggestable(known), fix) }));
}

function repeated(places: Place[], message: string, fix: string): Finding[] {
  return places.flatMap(({ path, text }, index) => {
    const first = places.findIndex((place) => place.text === text);
    return first === index ? [] : [{ path, firstAt: places[first]?.path ?? path, message, fix }];
  });
}

function sameRepository(urls: Place[], folder: string): Finding[] {
  const identities = urls.map(({ path, text }) => ({ path, text: repositoryIdentity(text, folder) }));
  return repeated(
    identities,
    'this is the place of another repository',
    'give it a place of its own, or use the one',
  );
}

function samePort(document: unknown): Finding[] {
  const names = Object.keys(asMapping(valueAt(document, ['ports'])));
  const places = names.map((name): Place => {
    const path = ['ports', name];
    return { path, text: String(valueAt(document, path)) };
  });
  return repeated(places, 'another part has this port', 'give each its own, or leave one out for a free one');
}

function cadence(document: unknown, policy: Path): Finding[] {
  const every = valueAt(document, [...policy, 'every']);
  const cron = valueAt(document, [...policy, 'cron']);
  if (every !== undefined && cron !== undefined) {
    const message = 'the policy has both every and cron';
    return [
      {
        path: [...policy, 'cron'],
        atKey: true,
        firstAt: [...policy, 'every'],
        message,
        fix: 'keep one of the two',
      },
    ];
  }
  if (every !== undefined || cron !== undefined || !isMapping(valueAt(document, policy))) return [];
  return [
    { path: policy, message: 'the policy does not say when', fix: 'add every: 24h, or cron: "0 3 * * *"' },
  ];
}

/** A run that is put off into the next one's time would only be left out. */
function tooMuchJitter(document: unknown, policy: Path): Finding[] {
  const seconds = (key: string) => {
    const text = valueAt(document, [...policy, key]);
    return typeof text === 'string' ? parseDuration(text) : null;
  };
  const [jitter, every] = [seconds('jitter'), seconds('every')];
  if (jitter === null || every === null || jitter < every) return [];
  const message = 'a run could be put off until the next one is due';
  return [{ path: [...policy, 'jitter'], message, fix: 'give it less than every' }];
}

function emptyRetention(document: unknown, path: Path, without: string): Finding[] {
  const retention = valueAt(document, path);
  if (!isMapping(retention)) return [];
  const { maxDrop: _, ...words } = retention;
  if (Object.values(words).some((kept) => kept !== 0)) return [];
  const fix = `say what to keep, for example { keepLast: 3, keepDaily: 30 }, or leave retention out ${without}`;
  return [{ path, message: 'this retention keeps nothing: every recovery point would go', fix }];
}

function textsAt(document: unknown, key: string, inner: string): Place[] {
  return placesIn(document, [key], inner);
}

/** The texts of a list: its entries themselves where they are texts, else what stands under `inner` in them. */
function placesIn(document: unknown, list: Path, inner?: string): Place[] {
  return itemsOf(document, list).flatMap((path) => {
    const direct = placeAt(document, path);
    return direct.length > 0 || inner === undefined ? direct : placeAt(document, [...path, inner]);
  });
}

function placeAt(document: unknown, path: Path): Place[] {
  const text = valueAt(document, path);
  return typeof text === 'string' ? [{ path, text }] : [];
}

function itemsOf(document: unknown, path: Path): Path[] {
  const items = valueAt(document, path);
  return Array.isArray(items) ? items.map((_, index) => [...path, index]) : [];
}

function namesOf(places: Place[]): string[] {
  return [...new Set(places.map(({ text }) => text))];
}

/** A name that is none is not suggested; it may be anything, a secret too. */
function suggestable(names: string[]): string[] {
  return names.filter((name) => /^[a-z0-9]/.test(name) && shownKey(name) === name);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asMapping(value: unknown): Record<string, unknown> {
  return isMapping(value) ? value : {};
}
