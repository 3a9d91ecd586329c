/** Hosted entities as records: what their configurations say, and the keys that are kept for them. */
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import { decodeJwt } from '../../federation/signature.ts';
import type { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';
import type { NewAuthorityKey } from '../authorities/authority.ts';

export type HostedEntity = typeof hostedEntities.$inferSelect;
export type HostedKey = typeof hostedKeys.$inferSelect;

/** A key without its private half, sealed or encrypted or elsewhere. */
export type HostedKeyRecord = Omit<HostedKey, 'sealedPrivateKey' | 'tokenObject' | 'handedOverJwe' | 'handedOverTo'>;

/** What an operator says about a hosted entity's configuration. */
export interface HostingSettings {
  /** `metadata` by Entity Type, as the entity itself declares it. */
  metadata: JsonObject;
  configurationLifetimeSeconds: number;
}

/** What the first configuration of an entity that is to be hosted is made from. */
export interface HostedPreview extends HostingSettings {
  entityIdentifier: string;
  /** Entity Identifier of its superior. */
  superior: string;
  key: NewAuthorityKey;
}

/** What is known about the hosting of an entity. */
export interface Hosting extends Omit<HostedEntity, 'hostname' | 'uploadedConfiguration'> {
  entityIdentifier: string;
  /** Its key was handed over and nothing came back yet: what was signed here last is served. */
  awaitsUpload: boolean;
  /** When what is served expires, unless it is renewed here. */
  servedUntil: Date | null;
  /** In the order of their creation. */
  keys: HostedKeyRecord[];
}

/** Makes the keys of hosted entities; filled by who composes the program. */
export type GenerateHostedKey = (entityIdentifier: string) => Promise<NewAuthorityKey>;

export const DEFAULT_CONFIGURATION_LIFETIME_SECONDS = 24 * 3600;

/** Whether configuration and Subordinate Statement list the key. */
export function isListed({ state }: Pick<HostedKey, 'state'>): boolean {
  return state === 'announced' || state === 'active' || state === 'retired';
}

/** Whether the key signs here, or may do so later. */
export function isKeptHere({ state, custody }: Pick<HostedKey, 'state' | 'custody'>): boolean {
  return custody !== 'partner' && (state === 'announced' || state === 'active');
}

export function publicJwkOf({ publicJwk }: Pick<HostedKey, 'publicJwk'>): Jwk {
  return publicJwk as Jwk;
}

/** When a configuration expires that was valid when it was kept. */
export function expiryOf(configuration: string): Date {
  return new Date(Number(decodeJwt(configuration).claims['exp']) * 1000);
}

/** As the audit keeps it; what was uploaded stands in the audit row of its upload. */
export function hostingSnapshot(hosted: HostedEntity, keys: readonly HostedKey[]): JsonObject {
  const { metadata, configurationLifetimeSeconds, mode, uploadedIat, endedAt } = hosted;
  return {
    metadata,
    configurationLifetimeSeconds,
    mode,
    uploadedIat,
    ...(endedAt !== null && { endedAt: endedAt.toISOString() }),
    keys: keys.map(({ kid, state, custody, activateAfter, removeAfter }) => ({
      ...{ kid, state, custody },
      ...(activateAfter !== null && { activateAfter: activateAfter.toISOString() }),
      ...(removeAfter !== null && { removeAfter: removeAfter.toISOString() }),
    })),
  };
}
