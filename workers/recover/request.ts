import type { RepositorySsh } from '../../domain/configuration/types.ts';
import type { SecretReference } from '../../domain/secret-reference.ts';

export interface RecoverRequest {
  repository: GivenRepository;
  /** Absolute. null: the one of the configuration that is found. */
  dataDir: string | null;
  /** Where the URL of the catalogue's database is, instead of where the configuration says; null: as it says. */
  catalogUrl: SecretReference | null;
  /** Absolute: where the configuration is written. */
  configurationFile: string;
  /** RFC 3339: the newest point of the control plane at or before it. null: the newest. */
  at: string | null;
  /** Id of such a point, or a beginning of it. */
  point: string | null;
  /** Ends before anything is changed. */
  dryRun: boolean;
}

/** All that is left: where the repository is and how to get in. Paths are absolute. */
export interface GivenRepository {
  url: string;
  password: SecretReference;
  env: Record<string, SecretReference>;
  ssh?: RepositorySsh;
}
