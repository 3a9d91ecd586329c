/** Makes an authority with its first Federation Entity Key. */
import { authorities } from '../../storage/schema/authorities.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { inputIdentifier } from '../claims-input.ts';
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
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (authorityId) => {
      const authority: Authority = {
        id: authorityId,
        entityIdentifier: input.entityIdentifier,
        location: authorityLocation(input.entityIdentifier),
        ...settings,
        version: 1,
        createdAt: context.now,
      };
      const made = newKeyRow(context, authorityId, await generateKey(authorityId));
      try {
        await tx.insert(authorities).values(authority);
      } catch (error) {
        if (!isUniqueViolation(error, 'authorities_entity_identifier_key', 'authorities_location_key')) throw error;
        const message = `${input.entityIdentifier}, or an authority at the same place, is here already`;
        throw new RegistryError('authority_exists', message, {}, { cause: error });
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
    });
  });
  return readAuthority(context.db, context.actor, id);
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
    trustMarkIssuers: input.trustMarkIssuers ?? NO_RECOGNITION.trustMarkIssuers,
    trustMarkOwners: input.trustMarkOwners ?? NO_RECOGNITION.trustMarkOwners,
  };
}
