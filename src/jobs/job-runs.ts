/** What is written down of each job: when it last ran, how that ended, and when it runs next. By the clock of the database. */
import { eq, sql } from 'drizzle-orm';
import { FederationError } from '../federation/errors.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { CustodyUnavailable } from '../signer/custody/key-custody.ts';
import type { Db } from '../storage/connect.ts';
import { jobRuns } from '../storage/schema/job-runs.ts';
import { sqlErrorOf } from '../storage/sql-error.ts';

export type JobRun = typeof jobRuns.$inferSelect;

const NOW = sql`clock_timestamp()`;
const MAX_ERROR_LENGTH = 300;

export async function readJobRuns(db: Db): Promise<JobRun[]> {
  return await db.select().from(jobRuns);
}

/** @param node where it runs; null for work of which several turns run at once @returns the failures in a row before */
export async function noteStart(db: Db, name: string, node: string | null): Promise<number> {
  const started = { lastStartedAt: NOW, runningOn: node };
  const [row] = await db
    .insert(jobRuns)
    .values({ name, ...started })
    .onConflictDoUpdate({ target: jobRuns.name, set: started })
    .returning({ failures: jobRuns.failures });
  return row?.failures ?? 0;
}

export interface JobEnd {
  /** `interrupted` is neither success nor failure: the rest of it is for the next turn. */
  outcome: 'succeeded' | 'failed' | 'interrupted';
  error?: unknown;
  durationMs: number;
  /** Undefined for what goes on all the time. */
  nextAfterSeconds: number | undefined;
}

/**
 * What goes on all the time seldom ends well: failures of it are in a row that follow each other closely, as those of a
 * key do that is tried again each half minute.
 */
export const CLOSELY_SECONDS = 120;
const MORE = sql`${jobRuns.failures} + 1`;
const MORE_CLOSELY = sql`
  CASE WHEN ${jobRuns.lastFailedAt} > clock_timestamp() - make_interval(secs => ${CLOSELY_SECONDS})
  THEN ${jobRuns.failures} + 1 ELSE 1 END`;

/** @returns the failures in a row, with this one */
export async function noteEnd(db: Db, name: string, end: JobEnd): Promise<number> {
  const { outcome, error, durationMs, nextAfterSeconds } = end;
  const [row] = await db
    .update(jobRuns)
    .set({
      runningOn: null,
      nextRunAt: nextAfterSeconds === undefined ? null : inSeconds(nextAfterSeconds),
      ...(outcome !== 'interrupted' && { lastDurationMs: Math.round(durationMs) }),
      ...(outcome === 'succeeded' && { lastSucceededAt: NOW, failures: 0 }),
      ...(outcome === 'failed' && {
        lastFailedAt: NOW,
        failures: nextAfterSeconds === undefined ? MORE_CLOSELY : MORE,
        lastError: describeFailure(error),
      }),
    })
    .where(eq(jobRuns.name, name))
    .returning({ failures: jobRuns.failures });
  return row?.failures ?? 0;
}

export async function noteNextRun(db: Db, name: string, afterSeconds: number): Promise<void> {
  const nextRunAt = inSeconds(afterSeconds);
  await db.insert(jobRuns).values({ name, nextRunAt }).onConflictDoUpdate({ target: jobRuns.name, set: { nextRunAt } });
}

function inSeconds(seconds: number) {
  return sql`clock_timestamp() + make_interval(secs => ${seconds})`;
}

/**
 * For everybody who may look at jobs. What other errors say may quote a statement, a URL or a secret: of them only the
 * kind is told, the log has more.
 */
export function describeFailure(error: unknown): string {
  const isOurs =
    error instanceof FederationError || error instanceof RegistryError || error instanceof CustodyUnavailable;
  if (isOurs) return error.message.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_ERROR_LENGTH);
  const sqlCode = sqlErrorOf(error)?.code;
  if (sqlCode !== undefined) return `the database refused it (${sqlCode}); the log says more`;
  if (!(error instanceof Error)) return 'it failed; the log says more';
  const code = 'code' in error && typeof error.code === 'string' && /^[A-Z_]{3,40}$/.test(error.code) ? error.code : '';
  return `${error.name}${code === '' ? '' : ` (${code})`}; the log says more`;
}
