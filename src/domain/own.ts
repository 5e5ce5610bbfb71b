/**
 * The own member `name` of `record`; undefined without one.
 *
 * Names from outside are never looked up by `record[name]`:
 * every plain object also has the members of
 * `Object.prototype`. This function, a Map, or a record
 * without a prototype serves instead. test/look-ups.test.ts
 * enforces it.
 */
export function own<T>(
  record: Readonly<Record<string, T>> | null | undefined,
  name: string,
): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
