// What of rclone's own configuration a repository needs that no variable of the repository names.

/** It takes a named remote from where rclone looks by itself: the configuration names neither file nor remote. */
export function usesDefaultRcloneConf(url: string, variables: readonly string[]): boolean {
  return /^rclone:[^:/]/.test(url) && !variables.some((name) => /^RCLONE_CONFIG(_.+_TYPE)?$/.test(name));
}

interface NamedFile {
  option: string;
  path: string;
}

/** The first file that a remote in there needs beside it; null: what is in there is all. */
export function fileNamedInRcloneConf(text: string): NamedFile | null {
  const [, option, path] =
    /^[ \t]*(\w*_file|ca_cert|client_cert|client_key)[ \t]*=[ \t]*(\S.*)$/m.exec(text) ?? [];
  return option === undefined || path === undefined ? null : { option, path: path.trim() };
}
