// What of a configuration's values may appear in a message. Only keys known to hold no secret are shown, and
// even there nothing that looks like one: a secret gets into the wrong place easily.

import { MASKED, mask } from '../secret-reference.ts';
import type { Path } from './problem.ts';

/** The value as a message may show it; null where it is a list, a mapping, absent, or under any other key. */
export function shownValue(path: Path, value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean' && value !== null)
    return null;
  const text = String(value);
  const key = path.findLast((step) => typeof step === 'string') ?? '';
  if (key === 'password' || path.includes('env')) return mask(text);
  // A web hook's whole address is a secret.
  if (path[0] === 'notifications' && secretKeys.has(key)) return mask(text);
  if (urlKeys.has(key)) return shownUrl(text);
  return plainKeys.has(key) ? shownText(value) : null;
}

/** A key name in a message: as it is, unless somebody wrote a secret where a key belongs. */
export function shownKey(key: string): string {
  return looksSecret(key) ? MASKED : shortened(key);
}

const secretKeys = new Set(['url', 'secret', 'token', 'routingKey']);
const urlKeys = new Set(['url', 'http']);
const plainKeys = new Set(
  `version dataDir address namespace temporal temporalUi catalog api metrics name type class method path exclude
   minFiles minBytes upload onError assets every cron lag repository copies proof rpo rto provenWithin readData within rehearse keepLast
   keepHourly keepDaily keepWeekly keepMonthly keepYearly keepWithin
   keepWithinHourly keepWithinDaily keepWithinWeekly keepWithinMonthly keepWithinYearly`.split(/\s+/),
);

function shownText(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  if (/^\s*(env|file|cmd):/.test(value)) return mask(value);
  return looksSecret(value) ? MASKED : JSON.stringify(shortened(value));
}

/** A URL is shown only if it has no place for a secret left: no user, no query, no options. */
function shownUrl(url: string): string {
  return /[@?=,#%]/.test(url) && mask(url) === MASKED ? MASKED : shownText(url);
}

function looksSecret(text: string): boolean {
  return (
    /:\/\/.*@/s.test(text) ||
    /(pass(word|wd|phrase)?|secret|token|key|credentials?)\s*[=:]/i.test(text) ||
    /-----BEGIN|AGE-SECRET-KEY-|\b(AKIA|ASIA|gh[pousr]_|glpat-|xox[abprs]-|sk-)/.test(text) ||
    text.split(/[^A-Za-z0-9+=_-]+/).some(looksRandom)
  );
}

/** Long and mixed as generated keys are, and names or words of a language are not. */
function looksRandom(word: string): boolean {
  if (!/\d/.test(word)) return false;
  return (
    (word.length >= 20 && /[A-Z]/.test(word) && /[a-z]/.test(word)) || /^[A-Za-z0-9+=_]{32,}$/.test(word)
  );
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
