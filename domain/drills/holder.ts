/** On whose behalf a drill's points are held, until its job has ended. */
export function drillHolder(drillId: string): string {
  return `drill ${drillId}`;
}

/** On whose behalf the safety points of a game day are held: until it has passed, or was cancelled before its take-down. */
export function gameDayHolder(drillId: string): string {
  return `game day ${drillId}`;
}
