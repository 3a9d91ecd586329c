/** What enrolment starts from: entities that publish themselves, requests to enrol them, proofs of keys. */
import type { RetrieveConfiguration } from '../../src/enrolment/configuration-checks.ts';
import type { Enrolment } from '../../src/enrolment/enrol-entity.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { buildFederation, type TestEntity } from './federation.ts';
import { signJwt, type TestKey, testKey } from './keys.ts';
import { freshIdentifier } from './registry.ts';

/** A Relying Party under an authority. Its configuration is signed when it is asked for and follows its properties. */
export interface PublishedEntity extends TestEntity {
  retrieve: RetrieveConfiguration;
}

let keyNumber = 0;

/** An entity with a key of its own that names the authority and passes every check. */
export async function publishedEntity(
  authority: { entityIdentifier: string },
  identifier = freshIdentifier('rp'),
): Promise<PublishedEntity> {
  const federation = await buildFederation({
    rp: {
      identifier,
      keys: [await testKey('ES256', 2000 + ++keyNumber)],
      superiors: [authority.entityIdentifier],
      metadata: { openid_relying_party: { client_name: 'Test RP' } },
    },
  });
  return Object.assign(federation.entity('rp'), { retrieve: () => federation.configuration('rp') });
}

/** A request to enrol an entity under nothing but the defaults of the authority. */
export function enrolmentOf(
  organisationId: string,
  entityIdentifier: string,
  settings: Partial<Enrolment> = {},
): Enrolment {
  return {
    organisationId,
    entityIdentifier,
    entityTypes: ['openid_relying_party'],
    metadata: {},
    metadataPolicy: {},
    constraints: null,
    additionalClaims: {},
    crit: [],
    statementLifetimeSeconds: null,
    ...settings,
  };
}

/** What whoever hands over a key signs with it. */
export function keyProof(key: TestKey, claims: { iss: string; aud: string; nonce: string }): Promise<string> {
  return signJwt(key, TYP.keyProof, claims);
}
