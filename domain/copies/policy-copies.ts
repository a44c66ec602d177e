// Which of a policy's copies are made with each backup, and which travel on a cadence of their own.

import type { Cadence, Policy, PolicyCopy } from '../configuration/types.ts';
import { HoldfastError } from '../errors.ts';

export interface TravellingCopy extends PolicyCopy {
  cadence: Cadence;
}

export function everyCopyOf({ copies }: Pick<Policy, 'copies'>): string[] {
  return copies.map(({ repository }) => repository);
}

export function copiesWithBackup({ copies }: Pick<Policy, 'copies'>): string[] {
  return copies.filter(({ cadence }) => cadence === undefined).map(({ repository }) => repository);
}

export function travellingCopies({ copies }: Pick<Policy, 'copies'>): TravellingCopy[] {
  return copies.filter((copy): copy is TravellingCopy => copy.cadence !== undefined);
}

/** Throws `notFound` where the policy has no such copy. */
export function copyOf({ name, copies }: Pick<Policy, 'name' | 'copies'>, repository: string): PolicyCopy {
  const copy = copies.find((one) => one.repository === repository);
  if (copy) return copy;
  const others = copies.map((one) => one.repository).join(', ');
  throw new HoldfastError({
    code: 'notFound',
    message: `policy ${name} has no copy in ${repository}`,
    cause: others === '' ? 'it has no copies' : `its copies are in ${others}`,
    hint: 'name one of them, or add the copy to the policy and run `holdfast apply`',
  });
}
