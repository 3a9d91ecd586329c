/** Lets a new credential take the place of another one, at once or from a stated moment on. */
import { eq } from 'drizzle-orm';
import { credentials } from '../../storage/schema/credentials.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency, requireVersion } from '../change.ts';
import { requireOpen } from '../entities/lock-entity.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { type Credential, type CredentialRow, credentialSnapshot, MAX_OVERLAP_DAYS } from './credential.ts';
import { type CredentialMaterial, type MaterialColumns, readMaterial } from './credential-material.ts';
import { insertCredential } from './insert-credential.ts';
import { judgeCertificate } from './judge-certificate.ts';
import { lockCredential, requireOpenCredential } from './lock-credential.ts';
import { lockRecordsOf } from './one-environment.ts';
import { provePossession } from './possession-proof.ts';
import { readCredential } from './read-credential.ts';

export interface CredentialReplacement {
  material: CredentialMaterial;
  /** As of a new one. */
  proof?: string;
  /** Until then both count; null: the new one alone, from now on. */
  until: Date | null;
}

/**
 * The new one is for the same use. What is on record unproven may be replaced by itself with a proof.
 * @throws RegistryError as addCredential, and illegal_transition when the old one does not count any more or is being
 *   superseded already, version_mismatch
 */
export async function replaceCredential(
  context: ChangeContext,
  credentialId: string,
  { material, proof, until }: CredentialReplacement,
  { expectedVersion, idempotency }: { expectedVersion?: number; idempotency?: Idempotency } = {},
): Promise<Credential> {
  const { now } = context;
  const seen = await readCredential(context.db, context.actor, credentialId);
  const { authorityId, organisationId, entityId, entityIdentifier, usage } = seen;
  authorise(context.actor, ACCESS.replaceCredential.roles, authorityId, organisationId, entityId);
  requireOverlap(until, now);
  const columns = await readMaterial(material, usage, now);
  const path = await judgeCertificate(context.db, { ...seen, id: entityId }, usage, columns, now);
  if (proof === undefined || seen.possession === 'proven') requireAnother(seen, columns);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (newId) => {
      const possession = await provePossession(tx, { ...context, authorityId, entityIdentifier }, columns, proof);
      const plan = { ...columns, ...path, possession, id: newId, usage, supersedes: credentialId };
      await lockRecordsOf(tx, entityIdentifier, plan);
      const { entity, credential: before } = await lockCredential(tx, seen);
      requireOpen(entity);
      requireReplaceable(before, now);
      requireVersion(before, expectedVersion);
      const change = { supersededAt: until ?? now, version: before.version + 1 };
      await tx.update(credentials).set(change).where(eq(credentials.id, credentialId));
      await insertCredential(tx, context, entity, plan, record);
      record({
        action: 'credential.supersede',
        authorityId,
        subjectKind: 'credential',
        subjectId: credentialId,
        before: credentialSnapshot(before),
        after: credentialSnapshot({ ...before, ...change }),
      });
    });
  });
  return readCredential(context.db, context.actor, id);
}

/** @throws RegistryError illegal_transition */
function requireReplaceable(credential: CredentialRow, now: Date): void {
  requireOpenCredential(credential, 'replace', now);
  if (credential.supersededAt === null) return;
  const message = `another one takes its place at ${credential.supersededAt.toISOString()}; replace that one`;
  throw new RegistryError('illegal_transition', message, { from: 'active', allowed: ['revoke'] });
}

/** @throws RegistryError credential_exists */
function requireAnother({ kind, x5tS256, spkiSha256 }: Credential, given: MaterialColumns): void {
  const isSame = given.kind === kind && given.x5tS256 === x5tS256 && given.spkiSha256 === spkiSha256;
  if (!isSame) return;
  throw new RegistryError('credential_exists', 'this is what it replaces; nothing would change');
}

/** @throws RegistryError validation_failed */
function requireOverlap(until: Date | null, now: Date): void {
  if (until === null) return;
  const latest = new Date(now.getTime() + MAX_OVERLAP_DAYS * 86_400_000);
  if (until < now) throw invalidField('/until', 'is over; leave it out to replace it at once');
  if (until > latest) throw invalidField('/until', `is at most ${MAX_OVERLAP_DAYS} days ahead`);
}
