/** What a person should look at about an entity's keys and configuration: raised when seen, gone when cured. */
import { and, asc, eq, inArray, notInArray, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entityFindings } from '../../../storage/schema/entity-findings.ts';

export const FINDING_KINDS = [
  /** Its configuration cannot be retrieved, or is not valid in itself. */
  'configuration_unavailable',
  'configuration_invalid',
  /** No registered key signed its configuration: whoever published it cannot speak for the entity. */
  'signed_by_unknown_key',
  /** Its configuration was issued before one that was accepted already. */
  'configuration_older',
  /** A key of its configuration cannot be registered: unfit, under a kid that stood for another, or removed before. */
  'key_unsuitable',
  'kid_reused',
  'removed_key_published',
  /** A registered key is no longer in its configuration; it counts until it is removed. */
  'registered_key_missing',
  /** A registered key is published with a certificate that the authority does not take without asking. */
  'key_certificate_held',
  /** Keys wait for a decision. */
  'keys_proposed',
  /** Its configuration declares other Entity Types than those that it was approved with. */
  'types_changed',
  /** Its configuration no longer names our authority among its superiors: chains through us end there. */
  'hint_dropped',
  /** Its configuration, as it was taken in last, ends soon or has ended. */
  'configuration_expiring',
  /** What its configuration declares contradicts the policy that counts now: resolvers refuse it. */
  'policy_contradicted',
  /** The domain that it was let in by is proven no more. */
  'domain_unproven',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  kind: FindingKind;
  /** For a person: what is wrong and what to do about it. */
  detail: string;
}

export interface RaisedFinding extends Finding {
  since: Date;
}

/** Most kids that a finding names, and most characters of each: an entity may call many keys anything. */
const NAMED_KIDS = 5;
const NAMED_CHARACTERS = 64;

/** kids for a person to read; all of them are with the keys. */
export function namedKids(kids: readonly string[]): string {
  const named = kids.slice(0, NAMED_KIDS).map((kid) => {
    return kid.length <= NAMED_CHARACTERS ? kid : `${kid.slice(0, NAMED_CHARACTERS)}…`;
  });
  const others = kids.length - named.length;
  return others === 0 ? named.join(', ') : `${named.join(', ')} and ${others} more`;
}

/** Makes the findings of these kinds exactly those that were found now; what stands already keeps its beginning. */
export async function setFindings(
  db: Db | Tx,
  entityId: string,
  kinds: readonly FindingKind[],
  found: readonly Finding[],
  now: Date,
): Promise<void> {
  const cured = [eq(entityFindings.entityId, entityId), inArray(entityFindings.kind, [...kinds])];
  const raised = found.map(({ kind }) => kind);
  if (raised.length > 0) cured.push(notInArray(entityFindings.kind, raised));
  await db.delete(entityFindings).where(and(...cured));
  if (found.length === 0) return;
  await db
    .insert(entityFindings)
    .values(found.map(({ kind, detail }) => ({ entityId, kind, detail, since: now })))
    .onConflictDoUpdate({
      target: [entityFindings.entityId, entityFindings.kind],
      set: { detail: sql`excluded.detail` },
    });
}

/** In the order in which they were raised. */
export async function findingsOf(db: Db | Tx, entityId: string): Promise<RaisedFinding[]> {
  const rows = await db
    .select({ kind: entityFindings.kind, since: entityFindings.since, detail: entityFindings.detail })
    .from(entityFindings)
    .where(eq(entityFindings.entityId, entityId))
    .orderBy(asc(entityFindings.since), asc(entityFindings.kind));
  return rows as RaisedFinding[];
}
