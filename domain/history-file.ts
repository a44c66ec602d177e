/** Where the event history of a job (`job/<id>`) or restore (`restore/r-1`) lies below the data directory. */
export function historyFile(subject: string): string {
  return `histories/${subject.slice(subject.indexOf('/') + 1)}.json.gz`;
}
