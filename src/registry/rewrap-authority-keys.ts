/** Seals every private key and secret of the deployment under another master key, all or none. */
import { asc, eq, isNotNull, ne } from 'drizzle-orm';
import type { Tx } from '../storage/connect.ts';
import { authorityKeys } from '../storage/schema/authority-keys.ts';
import { certificationAuthorities, ocspSigners } from '../storage/schema/certification-authorities.ts';
import { deployment } from '../storage/schema/deployment.ts';
import { entities } from '../storage/schema/entities.ts';
import { hostedKeys } from '../storage/schema/hosted-entities.ts';
import { tokenIssuers } from '../storage/schema/token-issuers.ts';
import { webhooks } from '../storage/schema/webhooks.ts';
import { authorise } from './actor.ts';
import { type ChangeContext, changeRegistry } from './change.ts';
import { RegistryError } from './registry-error.ts';
import type { SecretPlace } from './token-issuers/token-issuer.ts';

/** A key with its sealed private half. */
export interface SealedKeyRecord {
  id: string;
  /** Who it is sealed for: the id of an authority or certification authority, or the Entity Identifier of a hosted entity. */
  owner: string;
  kid: string;
  alg: string;
  purpose: 'federation' | 'hosted-entity' | 'certification-authority' | 'ocsp-responder';
  sealedPrivateKey: Uint8Array;
}

/** From the present master key to a new one; filled by whoever holds both. */
export interface MasterKeyChange {
  /** Whether the present master key made this `deployment.masterKeyCheck`. */
  isPresentCheck: (masterKeyCheck: string) => boolean;
  /** The check that the new master key makes. */
  newCheck: string;
  /** The private half sealed under the new master key. @throws when the present one does not open it */
  rewrap: (key: SealedKeyRecord) => Uint8Array;
  /** The same with the secret by which an authorization server knows us. */
  rewrapClientSecret: (sealed: Uint8Array, place: SecretPlace) => Uint8Array;
  /** The same with the secrets that sign what a webhook tells. */
  rewrapWebhookSecret: (sealed: Uint8Array, webhookId: string) => Uint8Array;
}

/**
 * Rewraps all keys in one transaction, together with the check that tells the right master key at the next start. No
 * node may run meanwhile: it would go on to seal new keys under the old master key.
 * @throws RegistryError role_missing, validation_failed when the present master key is not the deployment's
 */
export async function rewrapAuthorityKeys(
  context: ChangeContext,
  { isPresentCheck, newCheck, rewrap, rewrapClientSecret, rewrapWebhookSecret }: MasterKeyChange,
): Promise<{ rewrapped: number }> {
  authorise(context.actor, ['admin'], null);
  return changeRegistry(context, async (tx, record) => {
    const [bound] = await tx.select().from(deployment).where(eq(deployment.id, 1)).for('update');
    if (bound === undefined || !isPresentCheck(bound.masterKeyCheck)) {
      const message = 'the present master key is not the one that this deployment is sealed with';
      throw new RegistryError('validation_failed', message);
    }
    const keys = await sealedKeys(tx);
    for (const { table, ...key } of keys) {
      await tx
        .update(table)
        .set({ sealedPrivateKey: rewrap(key) })
        .where(eq(table.id, key.id));
    }
    const issuerIds = await rewrapClientSecrets(tx, rewrapClientSecret);
    const webhookIds = await rewrapWebhookSecrets(tx, rewrapWebhookSecret);
    await tx.update(deployment).set({ masterKeyCheck: newCheck }).where(eq(deployment.id, 1));
    record({
      action: 'deployment.rewrap_keys',
      authorityId: null,
      subjectKind: 'deployment',
      subjectId: 'master_key',
      after: { kids: keys.map(({ kid }) => kid), tokenIssuers: issuerIds, webhooks: webhookIds },
    });
    return { rewrapped: keys.length };
  });
}

async function rewrapClientSecrets(tx: Tx, rewrap: MasterKeyChange['rewrapClientSecret']): Promise<string[]> {
  const issuers = await tx
    .select()
    .from(tokenIssuers)
    .where(isNotNull(tokenIssuers.sealedSecret))
    .orderBy(asc(tokenIssuers.id))
    .for('update');
  for (const { id, introspection, sealedSecret } of issuers) {
    if (introspection === null || sealedSecret === null) throw new Error(`token issuer ${id} has a secret for nothing`);
    const rewrapped = rewrap(sealedSecret, { issuerId: id, introspection });
    await tx.update(tokenIssuers).set({ sealedSecret: rewrapped }).where(eq(tokenIssuers.id, id));
  }
  return issuers.map(({ id }) => id);
}

async function rewrapWebhookSecrets(tx: Tx, rewrap: MasterKeyChange['rewrapWebhookSecret']): Promise<string[]> {
  const kept = await tx
    .select()
    .from(webhooks)
    .where(ne(webhooks.state, 'removed'))
    .orderBy(asc(webhooks.id))
    .for('update');
  for (const { id, sealedSecret, previousSealedSecret } of kept) {
    const rewrapped = {
      sealedSecret: rewrap(sealedSecret, id),
      previousSealedSecret: previousSealedSecret && rewrap(previousSealedSecret, id),
    };
    await tx.update(webhooks).set(rewrapped).where(eq(webhooks.id, id));
  }
  return kept.map(({ id }) => id);
}

/** A key and where its record is. */
type PlacedKey = SealedKeyRecord & {
  table: typeof authorityKeys | typeof hostedKeys | typeof certificationAuthorities | typeof ocspSigners;
};

async function sealedKeys(tx: Tx): Promise<PlacedKey[]> {
  const ofAuthorities = await tx
    .select()
    .from(authorityKeys)
    .where(isNotNull(authorityKeys.sealedPrivateKey))
    .orderBy(asc(authorityKeys.id))
    .for('update');
  const ofHosted = await tx
    .select({ key: hostedKeys, owner: entities.entityIdentifier })
    .from(hostedKeys)
    .innerJoin(entities, eq(entities.id, hostedKeys.entityId))
    .where(isNotNull(hostedKeys.sealedPrivateKey))
    .orderBy(asc(hostedKeys.id))
    .for('update', { of: hostedKeys });
  const ofIssuers = await tx
    .select()
    .from(certificationAuthorities)
    .where(isNotNull(certificationAuthorities.sealedPrivateKey))
    .orderBy(asc(certificationAuthorities.id))
    .for('update');
  const ofResponders = await tx
    .select()
    .from(ocspSigners)
    .where(isNotNull(ocspSigners.sealedPrivateKey))
    .orderBy(asc(ocspSigners.id))
    .for('update');
  const placed = [
    ...ofAuthorities.map((key) => ({ ...key, owner: key.authorityId, table: authorityKeys })),
    ...ofHosted.map(({ key, owner }) => ({ ...key, owner, table: hostedKeys })),
    ...ofIssuers.map((key) => ({ ...key, owner: key.id, table: certificationAuthorities })),
    ...ofResponders.map((key) => ({ ...key, owner: key.certificationAuthorityId, table: ocspSigners })),
  ];
  return placed.flatMap(({ id, owner, kid, alg, purpose, sealedPrivateKey, table }) =>
    sealedPrivateKey === null ? [] : [{ id, owner, kid, alg, purpose, sealedPrivateKey, table }],
  );
}
