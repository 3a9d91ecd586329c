/** Opaque pointers to pages, for the companion drafts that have `from` and `next`. */

/** @param recordId a UUID, in lower case with hyphens */
export function pagePointer(recordId: string): string {
  return Buffer.from(recordId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id of the record that a pointer of ours stands for; undefined for anything that is no such pointer. */
export function recordOfPointer(pointer: string): string | undefined {
  const bytes = Buffer.from(pointer, 'base64url');
  if (bytes.length !== 16 || bytes.toString('base64url') !== pointer) return undefined;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
