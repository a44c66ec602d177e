/** On whose behalf a drill's points are held, until its job has ended. */
export function drillHolder(drillId: string): string {
  return `drill ${drillId}`;
}
