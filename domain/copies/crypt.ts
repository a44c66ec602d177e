// Whether an encrypting remote encrypts: judged by what lies in the one behind it after something known was
// written through it.

export interface WrittenThrough {
  /** As it was written: the name, and what is in it. */
  name: string;
  content: string;
  /** Names that came into the remote behind it. */
  rawNames: readonly string[];
  /** What is in them there; bytes that are no text do not matter. */
  rawContent: string;
}

/** null: neither the name nor what is in it can be read there. */
export function whyNotEncrypted({ name, content, rawNames, rawContent }: WrittenThrough): string | null {
  if (rawNames.length === 0) return 'what was written did not arrive in the remote behind it';
  if (rawContent.includes(content)) return 'what was written can be read in the remote behind it';
  if (!rawContent.startsWith(RCLONE_MAGIC)) return 'what arrived there is not in the format of rclone crypt';
  if (rawNames.some((raw) => raw.includes(name))) return 'names can be read in the remote behind it';
  return null;
}

/** Every file that rclone crypt wrote begins so. */
const RCLONE_MAGIC = 'RCLONE\0\0';
