/** When a copy may be deleted where its store keeps what is written for so many days: a late copy counts from then. */
export function immutableUntil(takenAt: string, storedAt: string, days: number): string {
  const since = Math.max(Date.parse(takenAt), Date.parse(storedAt));
  return new Date(since + days * 86_400_000).toISOString();
}
