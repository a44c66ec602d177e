// Applied configurations. The document is kept whole; sites, assets, policies and repositories are brought
// in line with it. What left it stays, marked as orphaned: recovery points outlive the configuration.

import { completed } from '../domain/configuration/completed.ts';
import type { Configuration } from '../domain/configuration/types.ts';
import { HoldfastError } from '../domain/errors.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { sha256 } from './audit.ts';
import type { Query } from './connection.ts';
import type { Database, Transaction } from './database.ts';
import { carryOutRenames, pendingRenames, type Renames } from './renames.ts';
import { json } from './storable.ts';

export interface Configurations {
  /** Stores the document, brings assets, policies, sites and repositories in line; says what differed. */
  apply(configuration: Configuration, written?: WrittenFile): Promise<ConfigurationDifference>;
  /** The same answer without writing anything. */
  compare(configuration: Configuration): Promise<ConfigurationDifference>;
  current(): Promise<AppliedConfiguration | null>;
  /** As it was applied under this digest, also when a later one replaced it. */
  find(digest: string): Promise<AppliedConfiguration>;
  /** Of the one in force; null where an earlier version applied it. */
  written(): Promise<WrittenFile | null>;
}

/** The text, and the absolute path of the file it was read from. */
export interface WrittenFile {
  source: string;
  path: string;
}

export interface AppliedConfiguration {
  configuration: Configuration;
  digest: string;
  appliedAt: string;
  appliedBy: string;
}

export interface ConfigurationDifference {
  digest: string;
  /** false: the same document is already applied. */
  changed: boolean;
  assets: Difference;
  policies: Difference;
  repositories: Difference;
  /** Whose history goes to whom. */
  renamed: Renames;
}

/** Names. What is removed stays in the catalogue, as orphaned. */
export interface Difference {
  added: string[];
  changed: string[];
  removed: string[];
}

export function configurations(database: Database): Configurations {
  // One of a thousand policies is megabytes, and nearly always the one that was read before.
  let last: Known | null = null;
  return {
    apply: (configuration, written) =>
      database.write('applying the configuration', async (transaction) => {
        const { query, audit, at } = transaction;
        // One at a time, so that each is compared with what the one before it left.
        await query('lock table configurations in share row exclusive mode');
        const difference = await compare(query, configuration);
        if (!difference.changed) {
          await keepWritten(transaction, difference.digest, written);
          return difference;
        }
        const [kept] = await query<{ id: number }>(
          `insert into configurations (digest, document, applied_by, applied_at, source, path)
           values ($1, $2, $3, $4, $5, $6) returning id`,
          [
            difference.digest,
            json(configuration),
            database.actor,
            at,
            written?.source ?? null,
            written?.path ?? null,
          ],
        );
        await carryOutRenames(transaction, configuration, difference.renamed);
        await reconcile(transaction, configuration, difference, kept?.id ?? 0);
        const { digest, assets, policies, repositories } = difference;
        audit({
          action: 'configuration.applied',
          subject: `configuration/${digest.slice(0, 12)}`,
          details: { digest, assets, policies, repositories },
        });
        return difference;
      }),

    compare: (configuration) =>
      database.read('comparing the configuration', (query) => compare(query, configuration)),

    current: async () => {
      const applied = await database.read('reading the configuration', (query) => current(query, last));
      last = applied;
      return applied;
    },

    find: (digest) => database.read('reading an earlier configuration', (query) => byDigest(query, digest)),

    written: () =>
      database.read('reading the configuration as it was written', async (query) => {
        const [row] = await query<{ source: string | null; path: string | null }>(
          'select source, path from configurations order by id desc limit 1',
        );
        const { source = null, path = null } = row ?? {};
        return source !== null && path !== null ? { source, path } : null;
      }),
  };
}

/** Comments may have changed, or the file's place, and the document not: the newest text is the one to keep. */
async function keepWritten(
  { query, audit }: Transaction,
  digest: string,
  written: WrittenFile | undefined,
): Promise<void> {
  if (!written) return;
  const kept = await query(
    `update configurations set source = $1, path = $2
      where id = (select max(id) from configurations)
        and (source is distinct from $1 or path is distinct from $2) returning id`,
    [written.source, written.path],
  );
  if (kept.length === 0) return;
  const details = { digest, path: written.path };
  audit({ action: 'configuration.rewritten', subject: `configuration/${digest.slice(0, 12)}`, details });
}

async function compare(query: Query, configuration: Configuration): Promise<ConfigurationDifference> {
  const digest = sha256(canonicalJson(configuration));
  const renamed = await pendingRenames(query, configuration);
  const definitions = (table: string, condition: string) =>
    query<Definition>(`select name, definition from ${table} where ${condition} order by name`);
  const assets = await definitions('assets', 'orphaned_at is null');
  const policies = await definitions('policies', 'is_current');
  return {
    digest,
    changed: (await current(query))?.digest !== digest,
    assets: difference(underNewNames(assets, renamed.assets), configuration.assets),
    policies: difference(underNewNames(policies, renamed.policies), configuration.policies),
    repositories: difference(
      await definitions('repositories', 'orphaned_at is null and definition is not null'),
      configuration.repositories,
    ),
    renamed,
  };
}

/** What is renamed is changed, neither removed nor added. */
function underNewNames(before: Definition[], renames: Renames['assets']): Definition[] {
  const heirs = new Map(renames.map(({ from, to }) => [from, to]));
  const names = new Set(before.map(({ name }) => name));
  return before.flatMap((item) => {
    const heir = heirs.get(item.name);
    if (heir === undefined) return [item];
    return names.has(heir) ? [] : [{ ...item, name: heir }];
  });
}

type Known = Pick<AppliedConfiguration, 'digest' | 'configuration'>;

/** A document that is `known` by its digest is not fetched again. */
async function current(query: Query, known: Known | null = null): Promise<AppliedConfiguration | null> {
  const [row] = await query<Omit<AppliedConfiguration, 'configuration'> & { document: Configuration | null }>(
    `select case when digest is distinct from $1 then document end as document, digest,
            applied_at as "appliedAt", applied_by as "appliedBy"
       from configurations order by id desc limit 1`,
    [known?.digest ?? null],
  );
  if (!row) return null;
  const { document, ...applied } = row;
  if (document) return { ...applied, configuration: completed(document) };
  return known && { ...applied, configuration: known.configuration };
}

async function byDigest(query: Query, digest: string): Promise<AppliedConfiguration> {
  const [row] = await query<AppliedConfiguration>(
    `select document as configuration, digest, applied_at as "appliedAt", applied_by as "appliedBy"
       from configurations where digest = $1 order by id desc limit 1`,
    [digest],
  );
  if (row) return { ...row, configuration: completed(row.configuration) };
  throw new HoldfastError({
    code: 'notFound',
    message: `configuration ${digest.slice(0, 12)} is not in the catalogue`,
    cause: 'none was ever applied under this digest here',
    hint: 'run `holdfast apply`, then start the job again',
  });
}

interface Definition {
  name: string;
  definition: unknown;
}

function difference(before: readonly Definition[], after: readonly { name: string }[]): Difference {
  const known = new Map(before.map(({ name, definition }) => [name, canonicalJson(definition)]));
  const names = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !known.has(name)).map(({ name }) => name),
    changed: after
      .filter((item) => known.has(item.name) && known.get(item.name) !== canonicalJson(item))
      .map(({ name }) => name),
    removed: before.filter(({ name }) => !names.has(name)).map(({ name }) => name),
  };
}

async function reconcile(
  { query, at }: Transaction,
  configuration: Configuration,
  { assets, policies, repositories }: ConfigurationDifference,
  configurationId: number,
): Promise<void> {
  const touched = ({ added, changed }: Difference) => new Set([...added, ...changed]);
  await query(
    `insert into sites (name, definition) values ($1, $2) on conflict (name) do update set orphaned_at = null`,
    [THIS_HOST, json({ name: THIS_HOST })],
  );
  for (const asset of configuration.assets) {
    if (!touched(assets).has(asset.name)) continue;
    await query(
      `insert into assets (name, site, type, data_class, definition) values ($1, $2, $3, $4, $5)
       on conflict (name) do update set site = excluded.site, type = excluded.type,
         data_class = excluded.data_class, definition = excluded.definition, orphaned_at = null`,
      [asset.name, THIS_HOST, asset.type, asset.class, json(asset)],
    );
  }
  for (const repository of configuration.repositories) {
    if (!touched(repositories).has(repository.name)) continue;
    await query(
      `insert into repositories (name, type, definition) values ($1, $2, $3)
       on conflict (name) do update set type = excluded.type, definition = excluded.definition,
         orphaned_at = null`,
      [repository.name, repository.type, json(repository)],
    );
  }
  await orphan(query, 'assets', assets.removed, at);
  await orphan(query, 'repositories', repositories.removed, at);
  await query(
    'update policies set is_current = false, retired_at = $2 where is_current and name = any ($1)',
    [[...policies.changed, ...policies.removed], at],
  );
  for (const policy of configuration.policies) {
    if (!touched(policies).has(policy.name)) continue;
    await query(
      `insert into policies (name, version, definition, assets, is_current, configuration_id, since)
       select $1, coalesce(max(version), 0) + 1, $2, $3, true, $4, $5 from policies where name = $1`,
      [policy.name, json(policy), policy.assets, configurationId, at],
    );
  }
}

/** Until sites are configured, every asset lives on this host. */
const THIS_HOST = 'local';

async function orphan(
  query: Query,
  table: 'assets' | 'repositories',
  names: string[],
  at: string,
): Promise<void> {
  await query(`update ${table} set orphaned_at = $2 where name = any ($1) and orphaned_at is null`, [
    names,
    at,
  ]);
}
