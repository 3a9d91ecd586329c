/** Challenges for keys that are handed over: made for one entity of one authority, good once and for a day. */
import { randomBytes } from 'node:crypto';
import { and, eq, gt, isNull } from 'drizzle-orm';
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import type { ChangeContext } from '../registry/change.ts';
import { inputSubordinate } from '../registry/claims-input.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Tx } from '../storage/connect.ts';
import { enrolmentChallenges } from '../storage/schema/enrolment-challenges.ts';

export const CHALLENGE_LIFETIME_SECONDS = 86_400;

export interface EnrolmentChallenge {
  challenge: string;
  expiresAt: Date;
}

/**
 * Not a change of the registry: a challenge that nobody answers leaves no trace.
 * @throws RegistryError not_found, role_missing, validation_failed
 */
export async function createEnrolmentChallenge(
  context: ChangeContext,
  authorityId: string,
  entityIdentifier: string,
): Promise<EnrolmentChallenge> {
  authorise(context.actor, ['registrar'], authorityId);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  inputSubordinate(entityIdentifier, authority.entityIdentifier, context);
  const challenge = randomBytes(32).toString('base64url');
  const expiresAt = new Date(context.now.getTime() + CHALLENGE_LIFETIME_SECONDS * 1000);
  await context.db
    .insert(enrolmentChallenges)
    .values({ challenge, authorityId, entityIdentifier, createdAt: context.now, expiresAt });
  return { challenge, expiresAt };
}

/** Spends a challenge inside the transaction that needs it. @throws RegistryError challenge_invalid */
export async function spendChallenge(
  tx: Tx,
  challenge: string,
  authorityId: string,
  entityIdentifier: string,
  now: Date,
): Promise<void> {
  const spent = await tx
    .update(enrolmentChallenges)
    .set({ usedAt: now })
    .where(
      and(
        eq(enrolmentChallenges.challenge, challenge),
        eq(enrolmentChallenges.authorityId, authorityId),
        eq(enrolmentChallenges.entityIdentifier, entityIdentifier),
        isNull(enrolmentChallenges.usedAt),
        gt(enrolmentChallenges.expiresAt, now),
      ),
    )
    .returning({ challenge: enrolmentChallenges.challenge });
  if (spent.length > 0) return;
  const message = 'the challenge is unknown, used, expired or for another entity; ask for a new one';
  throw new RegistryError('challenge_invalid', message);
}
