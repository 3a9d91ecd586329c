/** Enforcement points and those whom they ask about, for tests of what is kept of admission. */
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { DecisionChain, type LoggedDecision } from '../../src/registry/decisions/decision-chain.ts';
import {
  addEnforcementPoint,
  type NewEnforcementPoint,
} from '../../src/registry/enforcement-points/add-enforcement-point.ts';
import { transitionEnforcementPoint } from '../../src/registry/enforcement-points/transition-enforcement-point.ts';
import type { KnownEnforcementPoint } from '../../src/registry/participants/known-participants.ts';
import type { Database, Db } from '../../src/storage/connect.ts';
import { freshIdentifier, NOW_DATE, type TestRegistry } from './registry.ts';

export interface TestPoint {
  id: string;
  name: string;
  /** What it shows in `Holdfast-Enforcement-Point`. */
  token: string;
}

/** An active enforcement point in live production, with a token. */
export async function testPoint(
  registry: TestRegistry,
  authority: Authority,
  settings: Partial<NewEnforcementPoint> = {},
): Promise<TestPoint> {
  const name = settings.name ?? freshIdentifier('gateway');
  const input = { allowSample: 1, ...settings, name };
  const { point, token } = await addEnforcementPoint(registry.context(), authority.id, input);
  return { id: point.id, name, token: token ?? '' };
}

/** A row of the log of decisions. */
export async function noteDeny(
  db: Db,
  about: Pick<LoggedDecision, 'authorityId' | 'enforcementPointId' | 'organisationId' | 'entityId'>,
): Promise<void> {
  const answer = { decision: 'deny', reasons: ['suspended'], seq: 1, count: 1, decidedAt: NOW_DATE } as const;
  const shown = { apiId: null, onBehalfOf: null, certificateSha256: 'c'.repeat(43), tokenSha256: null };
  await new DecisionChain(db, randomUUID()).append([{ ...about, ...answer, ...shown }]);
}

export async function suspendPoint(registry: TestRegistry, { id }: { id: string }): Promise<void> {
  await transitionEnforcementPoint(registry.context(), id, 'suspend', 'as a test needs it');
}

/** As admission knows it. */
export function knownPoint(
  { admission }: { admission: { state: { enforcementPoint(id: string): KnownEnforcementPoint | undefined } } },
  { id }: { id: string },
): KnownEnforcementPoint {
  const point = admission.state.enforcementPoint(id);
  if (point === undefined) throw new Error('admission does not know the enforcement point');
  return point;
}

/** All that a table holds, as text. */
export async function dumpOf(db: Db, table: string): Promise<string> {
  const { rows } = await db.execute<{ row: string }>(sql`SELECT t::text AS row FROM ${sql.identifier(table)} AS t`);
  return rows.map(({ row }) => row).join('\n');
}

/** Does to the log of decisions what only the owner of the tables can, past the triggers that refuse to. */
export async function tamperWithDecisions(database: Database, use: (db: Db) => Promise<unknown>): Promise<void> {
  await database.asOwner(async (db) => {
    await db.execute(sql`ALTER TABLE decisions DISABLE TRIGGER USER`);
    try {
      await use(db);
    } finally {
      await db.execute(sql`ALTER TABLE decisions ENABLE ALWAYS TRIGGER decisions_append_only`);
      await db.execute(sql`ALTER TABLE decisions ENABLE ALWAYS TRIGGER decisions_not_emptied`);
    }
  });
}
