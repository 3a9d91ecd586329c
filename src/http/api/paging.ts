/** Lists in pages: `limit` and `cursor` in, `items` and `next` out. */
import { z } from '@hono/zod-openapi';
import { MAX_PAGE_SIZE } from '../../registry/page.ts';

const DEFAULT_PAGE_SIZE = 50;

/** Query parameters of every list; each list adds its filters. */
export const PAGE_PARAMETERS = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `is a number from 1 to ${MAX_PAGE_SIZE}`)
    .default(String(DEFAULT_PAGE_SIZE))
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_PAGE_SIZE, `is from 1 to ${MAX_PAGE_SIZE}`)
    .openapi({
      type: 'integer',
      minimum: 1,
      maximum: MAX_PAGE_SIZE,
      default: DEFAULT_PAGE_SIZE,
      description: 'At most this many items.',
    }),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'is no cursor of ours; use `next` of the page before')
    .optional()
    .openapi({ description: '`next` of the page before.' }),
};

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
