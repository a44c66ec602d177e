/** What a smoke test finds an asset by: `HOLDFAST_DRILL_ORDERS`, with `_URL` or `_PATH` behind it. */
export function variableOf(asset: string): string {
  return `HOLDFAST_DRILL_${asset.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}
