/** A number from the environment, for a shorter run. */
export function wanted(name: string, usual: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return usual;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name}=${text} is not a number above 0`);
  return value;
}
