/** Makes an authority with its first Federation Entity Key. */
import { eq, or } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency, madeBefore } from '../change.ts';
import { inputIdentifier } from '../claims-input.ts';
import { requireNoHostingPlace } from '../hosting/hosting-place.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { type Authority, authoritySnapshot, DEFAULT_LIFETIMES, type GenerateAuthorityKey } from './authority.ts';
import { authorityLocation, checkAuthorityPath } from './authority-location.ts';
import { insertKey, signingFromNow } from './keys/announce-authority-key.ts';
import { keySnapshot, newKeyRow } from './keys/authority-key.ts';
import { DEFAULT_KEY_SETTINGS } from './keys/key-settings.ts';
import { readAuthority } from './read-authority.ts';
import { NO_RECOGNITION } from './recognition-settings.ts';
import { type AuthoritySettings, inputAuthoritySettings } from './update-authority.ts';

export interface NewAuthority extends Partial<AuthoritySettings> {
  entityIdentifier: string;
  name: string;
}

/**
 * Makes an authority; with `authorityHints` it is an Intermediate, without a Trust Anchor.
 * @throws RegistryError role_missing, validation_failed, authority_exists, kid_reused, idempotency_key_reused
 */
export async function createAuthority(
  context: ChangeContext,
  input: NewAuthority,
  generateKey: GenerateAuthorityKey,
  idempotency?: Idempotency,
): Promise<Authority> {
  authorise(context.actor, ['admin'], null);
  inputIdentifier(input.entityIdentifier, context, '/entityIdentifier');
  checkAuthorityPath(input.entityIdentifier);
  const settings = inputAuthoritySettings(withDefaults(input), input.entityIdentifier, context);
  // Before a key is made for nothing. In this order: who finds its place taken may have taken it itself.
  const isTaken = await isPlaceTaken(context.db, input.entityIdentifier);
  const earlier = idempotency && (await madeBefore(context.db, context.actor, idempotency));
  if (earlier !== undefined) return readAuthority(context.db, context.actor, earlier);
  if (isTaken) throw taken(input.entityIdentifier);
  const newAuthorityId = context.newId();
  // Whoever makes keys may take its time: neither a lock nor a connection is held for so long.
  const fresh = await generateKey(newAuthorityId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    const create = async (authorityId: string): Promise<void> => {
      const authority: Authority = {
        id: authorityId,
        entityIdentifier: input.entityIdentifier,
        location: authorityLocation(input.entityIdentifier),
        ...settings,
        version: 1,
        createdAt: context.now,
      };
      await requireNoHostingPlace(context, tx, input.entityIdentifier);
      const made = newKeyRow(context, authorityId, fresh);
      try {
        await tx.insert(authorities).values(authority);
      } catch (error) {
        if (!isUniqueViolation(error, 'authorities_entity_identifier_key', 'authorities_location_key')) throw error;
        throw taken(input.entityIdentifier, error);
      }
      const key = await signingFromNow(tx, authority, made, context.now);
      await insertKey(tx, key);
      record({
        action: 'authority.create',
        authorityId,
        subjectKind: 'authority',
        subjectId: authorityId,
        after: authoritySnapshot(authority),
      });
      record({
        action: 'authority_key.create',
        authorityId,
        subjectKind: 'authority_key',
        subjectId: key.kid,
        after: keySnapshot(key),
      });
    };
    return await createOnce(tx, context, idempotency, create, newAuthorityId);
  });
  return readAuthority(context.db, context.actor, id);
}

async function isPlaceTaken(db: Db, entityIdentifier: string): Promise<boolean> {
  const isThere = or(
    eq(authorities.entityIdentifier, entityIdentifier),
    eq(authorities.location, authorityLocation(entityIdentifier)),
  );
  const there = await db.select({ id: authorities.id }).from(authorities).where(isThere);
  return there.length > 0;
}

function taken(entityIdentifier: string, cause?: unknown): RegistryError {
  const message = `${entityIdentifier}, or an authority at the same place, is here already`;
  return new RegistryError('authority_exists', message, {}, { cause });
}

function withDefaults(input: NewAuthority): AuthoritySettings {
  const { configurationLifetimeSeconds, statementLifetimeSeconds, resolveLifetimeSeconds } = DEFAULT_LIFETIMES;
  return {
    name: input.name,
    authorityHints: input.authorityHints ?? [],
    metadata: input.metadata ?? {},
    defaultMetadataPolicy: input.defaultMetadataPolicy ?? {},
    defaultConstraints: input.defaultConstraints ?? null,
    configurationLifetimeSeconds: input.configurationLifetimeSeconds ?? configurationLifetimeSeconds,
    statementLifetimeSeconds: input.statementLifetimeSeconds ?? statementLifetimeSeconds,
    resolveLifetimeSeconds: input.resolveLifetimeSeconds ?? resolveLifetimeSeconds,
    keyAnnounceSeconds: input.keyAnnounceSeconds ?? DEFAULT_KEY_SETTINGS.keyAnnounceSeconds,
    keyRollIntervalSeconds: input.keyRollIntervalSeconds ?? DEFAULT_KEY_SETTINGS.keyRollIntervalSeconds,
    isStandbyKeyKept: input.isStandbyKeyKept ?? DEFAULT_KEY_SETTINGS.isStandbyKeyKept,
    keyProposals: input.keyProposals ?? 'hold',
    endpointAuthentication: input.endpointAuthentication ?? {},
    requiredContactTypes: input.requiredContactTypes ?? ['incident'],
    contactConfirmationDays: input.contactConfirmationDays === undefined ? 365 : input.contactConfirmationDays,
    lapseGraceDays: input.lapseGraceDays ?? 30,
    onLapse: input.onLapse ?? 'none',
    enrolmentFlow: input.enrolmentFlow ?? null,
    fourEyes: input.fourEyes ?? 'off',
    listedPurposes: input.listedPurposes ?? [],
    trustMarkIssuers: input.trustMarkIssuers ?? NO_RECOGNITION.trustMarkIssuers,
    trustMarkOwners: input.trustMarkOwners ?? NO_RECOGNITION.trustMarkOwners,
  };
}
