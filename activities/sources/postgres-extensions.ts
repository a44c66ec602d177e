// Which Debian package brings an extension. Only a hint: other systems name them otherwise.

export function packageOfExtension(extension: string, major: number): string {
  const known = Object.entries(PACKAGES).find(
    ([name]) => extension === name || extension.startsWith(`${name}_`),
  );
  return `\`apt-get install postgresql-${major}-${known?.[1] ?? extension.replaceAll('_', '-')}\``;
}

const PACKAGES: Record<string, string> = {
  postgis: 'postgis-3',
  vector: 'pgvector',
  pg_cron: 'cron',
  pg_partman: 'partman',
  plpython3u: 'plpython3',
  hll: 'hll',
};
