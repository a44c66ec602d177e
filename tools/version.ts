// Dotted version numbers, as tools print them.

/** Negative when `left` is the older. Missing places count as 0; what follows the digits of a place is ignored. */
export function compareVersions(left: string, right: string): number {
  const [leftPlaces, rightPlaces] = [places(left), places(right)];
  const length = Math.max(leftPlaces.length, rightPlaces.length);
  for (let place = 0; place < length; place += 1) {
    const difference = (leftPlaces[place] ?? 0) - (rightPlaces[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isAtLeast(version: string, minimum: string): boolean {
  return compareVersions(version, minimum) >= 0;
}

function places(version: string): number[] {
  return version
    .replace(/^v/, '')
    .split('.')
    .map((place) => Number.parseInt(place, 10) || 0);
}
