/** Lists in pages: `limit` and `cursor` in, `items` and `next` out. */
import { z } from '@hono/zod-openapi';
import { cursorId, MAX_PAGE_SIZE } from '../../registry/page.ts';
import { RegistryError } from '../../registry/registry-error.ts';

const DEFAULT_PAGE_SIZE = 50;

const limit = z
  .string()
  .regex(/^\d{1,4}$/, `is a number from 1 to ${MAX_PAGE_SIZE}`)
  .default(String(DEFAULT_PAGE_SIZE))
  .transform(Number)
  .refine((size) => size >= 1 && size <= MAX_PAGE_SIZE, `is from 1 to ${MAX_PAGE_SIZE}`)
  .openapi({
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGE_SIZE,
    default: DEFAULT_PAGE_SIZE,
    description: 'At most this many items.',
  });

/** Paging parameters of a list whose cursors look so. */
export function pageParameters(isCursor: (text: string) => boolean) {
  const cursor = z
    .string()
    .max(100)
    .refine(isCursor, 'is no cursor of ours; use `next` of the page before')
    .optional()
    .openapi({ description: '`next` of the page before.' });
  return { limit, cursor };
}

/** Query parameters of every list of records; each list adds its filters. */
export const PAGE_PARAMETERS = pageParameters(isRecordCursor);

function isRecordCursor(cursor: string): boolean {
  try {
    return cursorId({ limit: 1, cursor }) !== undefined;
  } catch (error) {
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

/** A page of a list. */
export function pageSchema<T extends z.ZodType>(
  name: string,
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodOptional<z.ZodString> }> {
  return z
    .object({
      items: z.array(item),
      next: z.string().optional().openapi({ description: 'Cursor of the next page; absent on the last.' }),
    })
    .openapi(name);
}
