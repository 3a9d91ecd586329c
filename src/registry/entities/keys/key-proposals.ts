/** Keys that an entity's configuration proposes, until a registrar decides about them. */
import { and, asc, eq, inArray, isNull, or, sql } from 'drizzle-orm';
import type { JsonObject } from '../../../federation/json.ts';
import { isSamePublicKey, type Jwk } from '../../../federation/jwk-set.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entityKeys } from '../../../storage/schema/entities.ts';
import { entityKeyProposals } from '../../../storage/schema/entity-key-proposals.ts';
import { notFound } from '../../actor.ts';
import { namedKids, setFindings } from './findings.ts';

export type KeyProposal = typeof entityKeyProposals.$inferSelect;

export async function proposalsOf(db: Db | Tx, entityId: string): Promise<KeyProposal[]> {
  return await db
    .select()
    .from(entityKeyProposals)
    .where(eq(entityKeyProposals.entityId, entityId))
    .orderBy(asc(entityKeyProposals.proposedAt), asc(entityKeyProposals.kid));
}

/** The proposal of that kid that waits for a decision. @throws RegistryError not_found */
export async function openProposal(tx: Tx, entityId: string, kid: string): Promise<KeyProposal> {
  const [proposal] = await tx
    .select()
    .from(entityKeyProposals)
    .where(isOpen(entityId, [kid]));
  if (proposal === undefined) throw notFound('proposed key', kid);
  return proposal;
}

/** Whether a key, under whatever kid, was refused, or has the kid of one that was. */
export function isRefused(key: Jwk, proposals: readonly KeyProposal[]): boolean {
  const isThat = ({ kid, publicJwk }: KeyProposal) => key.kid === kid || isSamePublicKey(key, publicJwk as Jwk);
  return proposals.some((proposal) => proposal.state === 'refused' && isThat(proposal));
}

/** @param signedBy kid of the registered key that signed the configuration */
export async function propose(
  tx: Tx,
  entityId: string,
  keys: readonly Jwk[],
  signedBy: string,
  now: Date,
): Promise<void> {
  if (keys.length === 0) return;
  const proposal = { entityId, signedBy, state: 'proposed', proposedAt: now, decidedAt: null, reason: null } as const;
  await tx
    .insert(entityKeyProposals)
    .values(keys.map((jwk) => ({ ...proposal, kid: jwk.kid, publicJwk: jwk as JsonObject })))
    .onConflictDoUpdate({
      target: [entityKeyProposals.entityId, entityKeyProposals.kid],
      set: {
        publicJwk: sql`excluded.public_jwk`,
        signedBy: sql`excluded.signed_by`,
        state: 'proposed',
        proposedAt: sql`excluded.proposed_at`,
        decidedAt: null,
        reason: null,
      },
    });
}

/** Forgets open proposals, which a later configuration may make anew. */
export async function withdraw(tx: Tx, entityId: string, kids: readonly string[]): Promise<void> {
  if (kids.length > 0) await tx.delete(entityKeyProposals).where(isOpen(entityId, kids));
}

/** Forgets the open proposals that rest on the signature of one of these keys. @returns their kids */
export async function withdrawSignedBy(tx: Tx, entityId: string, signers: readonly string[]): Promise<string[]> {
  const withdrawn = await tx
    .delete(entityKeyProposals)
    .where(
      and(
        eq(entityKeyProposals.entityId, entityId),
        eq(entityKeyProposals.state, 'proposed'),
        // Who signed the oldest ones is not known.
        or(inArray(entityKeyProposals.signedBy, [...signers]), isNull(entityKeyProposals.signedBy)),
      ),
    )
    .returning({ kid: entityKeyProposals.kid });
  return withdrawn.map(({ kid }) => kid).sort();
}

/** @param reason why, in the words of who decided */
export async function decide(
  tx: Tx,
  entityId: string,
  kids: readonly string[],
  outcome: { state: 'accepted' | 'refused'; reason: string },
  now: Date,
): Promise<void> {
  if (kids.length === 0) return;
  await tx
    .update(entityKeyProposals)
    .set({ ...outcome, decidedAt: now })
    .where(isOpen(entityId, kids));
}

/** A key that is registered meanwhile, on whatever way, waits no longer; what still waits is a finding. */
export async function settleProposals(tx: Tx, entityId: string, now: Date): Promise<void> {
  const registered = tx
    .select({ kid: entityKeys.kid })
    .from(entityKeys)
    .where(and(eq(entityKeys.entityId, entityId), isNull(entityKeys.removedAt)));
  await tx
    .update(entityKeyProposals)
    .set({ state: 'accepted', decidedAt: now, reason: 'registered meanwhile' })
    .where(
      and(
        eq(entityKeyProposals.entityId, entityId),
        eq(entityKeyProposals.state, 'proposed'),
        inArray(entityKeyProposals.kid, registered),
      ),
    );
  const waiting = (await proposalsOf(tx, entityId)).filter(({ state }) => state === 'proposed');
  const kids = namedKids(waiting.map(({ kid }) => kid));
  const detail = `its configuration shows ${kids}: accept or refuse each, or have the entity push its set`;
  const found = waiting.length === 0 ? [] : [{ kind: 'keys_proposed', detail } as const];
  await setFindings(tx, entityId, ['keys_proposed'], found, now);
}

function isOpen(entityId: string, kids: readonly string[]) {
  return and(
    eq(entityKeyProposals.entityId, entityId),
    inArray(entityKeyProposals.kid, [...kids]),
    eq(entityKeyProposals.state, 'proposed'),
  );
}
