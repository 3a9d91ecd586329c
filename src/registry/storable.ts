/** What any database keeps of texts: not U+0000, and no half of a surrogate pair. */

/** Whether a JSON value can be kept as it is, names of members included. */
export function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => isStorable(name) && isStorable(member));
}
