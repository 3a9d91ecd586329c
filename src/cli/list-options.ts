/** What every listing command takes and gives. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { ListPage, Query } from './api-client.ts';
import { positiveInteger } from './option-values.ts';
import { withNames } from './record-names.ts';
import type { ServiceSession } from './session.ts';

const DEFAULT_LIMIT = 50;

export interface ListOptions {
  limit?: number;
  all?: boolean;
  cursor?: string;
}

export function addListOptions(command: Command): Command {
  return command
    .option('--limit <n>', `show at most this many (default: ${DEFAULT_LIMIT})`, positiveInteger)
    .option('--all', 'show all of them')
    .option('--cursor <cursor>', 'go on where an earlier list ended');
}

export interface Listing<T extends object> {
  path: string;
  query: Query;
  record: z.ZodType<T>;
  columns: readonly string[];
  row: (record: T) => string[];
  /** Whether rows show names in place of the ids of authorities, organisations and entities. */
  isNamed?: boolean;
  /** Gets what the rows need besides the records. */
  prepare?: (records: readonly T[]) => Promise<void>;
}

/** Reads a list and shows it: a table, or `{ items, next }` as JSON. */
export async function showList<T extends object>(
  session: ServiceSession,
  listing: Listing<T>,
  options: ListOptions,
): Promise<void> {
  const { path, query, record, columns, row, isNamed, prepare } = listing;
  const list = await session.client.list(path, query, record, pageOf(options));
  await prepare?.(list.items);
  const items = isNamed === true ? await withNames(session, list.items) : list.items;
  session.output.result(list, (report) => report.table(columns, items.map(row)));
  if (list.next !== undefined) session.output.note(`There are more: --all, or --cursor ${list.next}`);
}

/** The page that the options ask for. */
export function pageOf({ limit, all, cursor }: ListOptions): ListPage {
  return { limit: all === true ? Number.POSITIVE_INFINITY : (limit ?? DEFAULT_LIMIT), cursor };
}
