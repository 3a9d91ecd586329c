/** Looks at the configurations of active entities as they were taken in last: do they still fit what we say of them? */
import { and, asc, eq, gt, inArray, ne } from 'drizzle-orm';
import { complianceComplaint } from '../enrolment/configuration-checks.ts';
import type { EntityIdentifier, IdentifierOptions } from '../federation/identifiers.ts';
import type { JsonObject } from '../federation/json.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import type { Authority } from '../registry/authorities/authority.ts';
import type { EntityRow } from '../registry/entities/entity.ts';
import { type Finding, type FindingKind, setFindings } from '../registry/entities/keys/findings.ts';
import { type GivenRole, givenRoles } from '../registry/roles/given-roles.ts';
import type { Db } from '../storage/connect.ts';
import { authorities } from '../storage/schema/authorities.ts';
import { entities } from '../storage/schema/entities.ts';
import { entityFindings } from '../storage/schema/entity-findings.ts';
import { organisations } from '../storage/schema/organisations.ts';

export interface ConfigurationReview {
  db: Db;
  now: () => Date;
  identifiers: IdentifierOptions;
  /** One entity's trouble does not hold up the others. */
  onError: (error: unknown, entityId: string) => void;
}

const KINDS: readonly FindingKind[] = ['hint_dropped', 'configuration_expiring', 'policy_contradicted'];

/** What checks saw is large: so many at a time. */
const BATCH = 100;

/** One round over all of them; what it finds takes the place of what it found before. */
export async function reviewConfigurations(review: ConfigurationReview, signal?: AbortSignal): Promise<void> {
  let after: string | undefined;
  while (signal?.aborted !== true) {
    const batch = await readBatch(review.db, after);
    for (const reviewed of batch) await reviewOne(review, reviewed);
    after = batch.at(-1)?.entity.id;
    if (batch.length < BATCH) break;
  }
}

interface Reviewed {
  entity: EntityRow;
  authority: Authority;
  roles: readonly GivenRole[];
  /** Whether something was found before. */
  hasFindings: boolean;
}

/** Those that nobody relies on are looked at when they are active again. */
async function readBatch(db: Db, after: string | undefined): Promise<Reviewed[]> {
  const rows = await db
    .select({ entity: entities, authority: authorities })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(authorities, eq(authorities.id, entities.authorityId))
    .where(
      and(
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
        ne(entities.enrolment, 'handed_over'),
        after === undefined ? undefined : gt(entities.id, after),
      ),
    )
    .orderBy(asc(entities.id))
    .limit(BATCH);
  const ids = rows.map(({ entity }) => entity.id);
  const roles = await givenRoles(db, ids);
  const found = await db
    .selectDistinct({ entityId: entityFindings.entityId })
    .from(entityFindings)
    .where(and(inArray(entityFindings.entityId, ids), inArray(entityFindings.kind, [...KINDS])));
  const withFindings = new Set(found.map(({ entityId }) => entityId));
  return rows.map(({ entity, authority }) => ({
    ...{ entity, authority },
    roles: roles.get(entity.id) ?? [],
    hasFindings: withFindings.has(entity.id),
  }));
}

async function reviewOne({ db, now, identifiers, onError }: ConfigurationReview, reviewed: Reviewed): Promise<void> {
  const { entity, hasFindings } = reviewed;
  try {
    const findings = findingsOf(reviewed, now(), identifiers);
    if (findings.length > 0 || hasFindings) await setFindings(db, entity.id, KINDS, findings, now());
  } catch (error) {
    onError(error, entity.id);
  }
}

function findingsOf({ entity, authority, roles }: Reviewed, now: Date, identifiers: IdentifierOptions): Finding[] {
  const { claims, iat, exp } = entity.evidence;
  if (!isObject(claims)) return [];
  const findings: Finding[] = [];
  // What we publish for it names us, and is signed anew by itself.
  if (entity.enrolment === 'published') {
    const hints = claims['authority_hints'];
    const { entityIdentifier } = authority;
    if (!Array.isArray(hints) || !hints.includes(entityIdentifier)) {
      const detail = `its configuration does not name ${entityIdentifier} any more; ask the partner whether it leaves`;
      findings.push({ kind: 'hint_dropped', detail });
    }
    if (typeof iat === 'number' && typeof exp === 'number') findings.push(...expiryOf(iat, exp, now));
  }
  const subject = {
    ...{ authority, roles },
    settings: entity,
    entityIdentifier: entity.entityIdentifier as EntityIdentifier,
    entityTypes: entity.registeredEntityTypes,
  };
  const declared = isObject(claims['metadata']) ? (claims['metadata'] as Metadata) : undefined;
  const seconds = Math.floor(now.getTime() / 1000);
  const complaint = complianceComplaint(declared, subject, { ...identifiers, now: seconds });
  if (complaint !== undefined) {
    const detail = `resolvers refuse it: ${complaint}; mend the policy, or have the partner mend the metadata`;
    findings.push({ kind: 'policy_contradicted', detail });
  }
  return findings;
}

/** It should be issued anew long before: with a tenth of its life left something is wrong. */
const LAST_SHARE = 0.1;

function expiryOf(iat: number, exp: number, now: Date): Finding[] {
  const seconds = now.getTime() / 1000;
  if (exp - seconds > (exp - iat) * LAST_SHARE) return [];
  const end = new Date(exp * 1000).toISOString();
  const what = exp <= seconds ? `ended at ${end}` : `ends at ${end}`;
  const detail = `its configuration as it was taken in last ${what}; the partner has to issue it anew`;
  return [{ kind: 'configuration_expiring', detail }];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
