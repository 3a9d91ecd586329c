/** Paging through records in the order of their ids, which is the order of creation. */
import { isRecordId } from './record-id.ts';
import { invalidField } from './registry-error.ts';

export interface PageRequest {
  /** At most this many records; 1 to MAX_PAGE_SIZE. */
  limit: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  /** Cursor of the next page; absent on the last. */
  next?: string;
}

export const MAX_PAGE_SIZE = 500;

/** The id after which a page starts. @throws RegistryError validation_failed */
export function cursorId(request: PageRequest): string | undefined {
  if (request.cursor === undefined) return undefined;
  const id = Buffer.from(request.cursor, 'base64url').toString('latin1');
  if (!isRecordId(id)) throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  return id;
}

/** Makes a page of `limit` records out of up to `limit + 1` that were read. */
export function pageOf<T extends { id: string }>(records: T[], request: PageRequest): Page<T> {
  const items = records.slice(0, request.limit);
  const last = items.at(-1);
  if (records.length <= request.limit || last === undefined) return { items };
  return { items, next: Buffer.from(last.id, 'latin1').toString('base64url') };
}
