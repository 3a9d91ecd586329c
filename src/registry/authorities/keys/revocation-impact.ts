/** Who and what is affected when a key of an authority is revoked. */
import { and, asc, count, eq, gt, gte, lte, max, ne, sql } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { issuedStatements } from '../../../storage/schema/issued-statements.ts';
import { organisations } from '../../../storage/schema/organisations.ts';
import { trustAnchors } from '../../../storage/schema/trust-anchors.ts';
import type { Authority, AuthorityKey } from '../authority.ts';
import { after, LEEWAY_SECONDS } from './key-times.ts';
import type { SignedByKey } from './signed-by-key.ts';

/** What others may still hold that the key signed, and who has to hear of the revocation. */
export interface RevocationImpact {
  /** Statements as last stored that the key may have signed, by kind, with the end of the longest-lived. */
  statements: { kind: string; count: number; lastExpiresAt: Date }[];
  /** Nothing that the key signed lives longer, Trust Marks and delegations aside; null if it never signed. */
  outstandingUntil: Date | null;
  /** Active subordinates, whose statements are signed anew as soon as somebody asks for them. */
  subordinates: number;
  trustMarks: number;
  delegations: number;
  /** Immediate Superiors that have to drop the key, and take the new one up where they do not list it yet. */
  superiors: string[];
  /** Authorities of this deployment that pin the key. Relying parties elsewhere that do so have to be told as well. */
  pinnedBy: string[];
}

export async function revocationImpact(
  tx: Tx,
  authority: Authority,
  key: AuthorityKey,
  signedByKey: SignedByKey,
  now: Date,
): Promise<RevocationImpact> {
  const { entityIdentifier } = authority;
  const hasSigned = key.activatedAt !== null && key.state !== 'historical';
  return {
    statements: hasSigned ? await statementsBy(tx, key, now) : [],
    outstandingUntil: hasSigned ? after(key.retiredAt ?? now, key.longestLifetimeSeconds) : null,
    subordinates: hasSigned ? await activeSubordinates(tx, authority.id) : 0,
    ...(await signedByKey.outstanding(tx, key.kid, now)),
    superiors: authority.authorityHints,
    pinnedBy: await pinningAuthorities(tx, entityIdentifier, key.kid),
  };
}

/** Stored while the key signed. A node that had not heard yet that it retired may have used it a moment longer. */
async function statementsBy(
  tx: Tx,
  { authorityId: owner, activatedAt, retiredAt }: AuthorityKey,
  now: Date,
): Promise<RevocationImpact['statements']> {
  const { authorityId, kind, issuedAt, expiresAt } = issuedStatements;
  const rows = await tx
    .select({ kind, count: count(), lastExpiresAt: max(expiresAt) })
    .from(issuedStatements)
    .where(
      and(
        eq(authorityId, owner),
        ne(kind, 'hosted-configuration'),
        activatedAt === null ? undefined : gte(issuedAt, activatedAt),
        retiredAt === null ? undefined : lte(issuedAt, after(retiredAt, LEEWAY_SECONDS)),
        gt(expiresAt, now),
      ),
    )
    .groupBy(kind)
    .orderBy(asc(kind));
  return rows.map(({ lastExpiresAt, ...row }) => ({ ...row, lastExpiresAt: lastExpiresAt ?? now }));
}

async function activeSubordinates(tx: Tx, authorityId: string): Promise<number> {
  const [row] = await tx
    .select({ count: count() })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(eq(entities.authorityId, authorityId), eq(entities.state, 'active'), eq(organisations.state, 'active')));
  return row?.count ?? 0;
}

async function pinningAuthorities(tx: Tx, entityIdentifier: string, kid: string): Promise<string[]> {
  const rows = await tx
    .select({ entityIdentifier: authorities.entityIdentifier })
    .from(trustAnchors)
    .innerJoin(authorities, eq(authorities.id, trustAnchors.authorityId))
    .where(
      and(
        eq(trustAnchors.entityIdentifier, entityIdentifier),
        sql`${trustAnchors.jwks} @> ${JSON.stringify({ keys: [{ kid }] })}::jsonb`,
      ),
    )
    .orderBy(asc(authorities.entityIdentifier));
  return rows.map((row) => row.entityIdentifier);
}
