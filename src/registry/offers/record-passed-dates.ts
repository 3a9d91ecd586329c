/** Writes down, once, that a date of an offer has come. Readers go by the dates; this is for the audit and its followers. */
import { and, asc, eq, inArray, isNotNull, isNull, lte, or, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorizationServers, type RecordedOfferState } from '../../storage/schema/authorization-servers.ts';
import { authorise } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry } from '../change.ts';
import { offerState } from './offer-state.ts';

/** Recorded in one change at most; the others follow in the next. */
const BATCH = 200;

type Row = { id: string; authorityId: string; recordedState: RecordedOfferState } & Parameters<typeof offerState>[0];

/** A state that it went to, as the verb of an audit row; `return`: its dates were put off. */
const VERBS = { active: 'return', deprecated: 'deprecate', retired: 'retire' } as const;

/**
 * One round: what another node records at the same moment is left to it.
 * @returns how much was recorded; there may be more
 * @throws RegistryError role_missing
 */
export async function recordPassedDates(context: ChangeContext): Promise<number> {
  authorise(context.actor, ['admin'], null);
  return await changeRegistry(context, async (tx, record) => {
    const entries = [
      ...(await recordStates(tx, 'authorization_server', authorizationServers, context.now)),
      ...(await recordStates(tx, 'api_resource', apiResources, context.now)),
      ...(await recordCertificationEnds(tx, context.now)),
    ];
    for (const entry of entries) record({ ...entry });
    return entries.length;
  });
}

type DatedTable = typeof authorizationServers | typeof apiResources;

async function recordStates(
  tx: Tx,
  subjectKind: 'authorization_server' | 'api_resource',
  table: DatedTable,
  now: Date,
): Promise<AuditEntry[]> {
  const columns = {
    id: table.id,
    authorityId: table.authorityId,
    recordedState: table.recordedState,
    deprecatedAt: table.deprecatedAt,
    retiresAt: table.retiresAt,
    removedAt: table.removedAt,
  };
  const rows: Row[] = await tx
    .select(columns)
    .from(table)
    .where(and(isNull(table.removedAt), isDated(table), isOtherwise(table, now)))
    .orderBy(asc(table.id))
    .limit(BATCH)
    .for('update', { skipLocked: true });
  const entries: AuditEntry[] = [];
  for (const row of rows) {
    const state = offerState(row, now);
    if (state === 'removed') continue;
    await tx.update(table).set({ recordedState: state }).where(eq(table.id, row.id));
    const dates = { deprecatedAt: textOf(row.deprecatedAt), retiresAt: textOf(row.retiresAt) };
    entries.push({
      action: `${subjectKind}.${VERBS[state]}`,
      authorityId: row.authorityId,
      subjectKind,
      subjectId: row.id,
      before: { state: row.recordedState },
      after: { state, ...dates },
      reason: state === 'active' ? 'its dates were put off' : 'its date has come',
    });
  }
  return entries;
}

/** The condition of the index: most offers have no dates. */
function isDated(table: DatedTable): SQL | undefined {
  return or(isNotNull(table.deprecatedAt), isNotNull(table.retiresAt), sql`${table.recordedState} <> 'active'`);
}

/** A node whose clock is behind does not take back what another wrote down. */
const APART_MS = 3_600_000;

function isOtherwise(table: DatedTable, now: Date): SQL | undefined {
  const soon = new Date(now.getTime() + APART_MS);
  const isAt = (moment: Date) => sql`${stateAt(table, moment)} <> ${table.recordedState}`;
  return and(isAt(now), isAt(soon));
}

/** As offerState says, in the words of the database. */
function stateAt({ deprecatedAt, retiresAt }: { deprecatedAt: AnyPgColumn; retiresAt: AnyPgColumn }, now: Date): SQL {
  const moment = now.toISOString();
  return sql`CASE
    WHEN ${retiresAt} <= ${moment}::timestamptz THEN 'retired'
    WHEN ${deprecatedAt} <= ${moment}::timestamptz THEN 'deprecated'
    ELSE 'active' END`;
}

/** Of certifications that held until then; what was rejected or deprecated before does not end. */
async function recordCertificationEnds(tx: Tx, now: Date): Promise<AuditEntry[]> {
  const { id, authorityId, certificationStatus, certificationTo, recordedCertificationEnd } = apiResources;
  const rows = await tx
    .select({ id, authorityId, status: certificationStatus, to: certificationTo })
    .from(apiResources)
    .where(
      and(
        isNull(apiResources.removedAt),
        inArray(certificationStatus, ['certified', 'self_certified']),
        lte(certificationTo, now),
        sql`${recordedCertificationEnd} IS DISTINCT FROM ${certificationTo}`,
      ),
    )
    .orderBy(asc(id))
    .limit(BATCH)
    .for('update', { skipLocked: true });
  const entries: AuditEntry[] = [];
  for (const row of rows) {
    await tx.update(apiResources).set({ recordedCertificationEnd: row.to }).where(eq(id, row.id));
    entries.push({
      action: 'api_resource.certification_end',
      authorityId: row.authorityId,
      subjectKind: 'api_resource',
      subjectId: row.id,
      before: { isCertified: true, certificationStatus: row.status },
      after: { isCertified: false, certificationStatus: row.status, certificationTo: textOf(row.to) },
      reason: 'its certification has ended',
    });
  }
  return entries;
}

function textOf(moment: Date | null): string | null {
  return moment?.toISOString() ?? null;
}
