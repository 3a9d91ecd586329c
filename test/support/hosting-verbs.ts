/** What can be done with hosted entities, for tests of roles and audit that look at every verb. */

import { bringHostedKey } from '../../src/enrolment/bring-hosted-key.ts';
import { enrolHosted } from '../../src/enrolment/enrol-hosted.ts';
import { createEnrolmentChallenge } from '../../src/enrolment/enrolment-challenge.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import { updateHosted } from '../../src/enrolment/update-hosted.ts';
import { uploadConfiguration } from '../../src/enrolment/upload-configuration.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import { lintHostedConfiguration } from '../../src/federation/lint/lint-hosted-configuration.ts';
import { TYP } from '../../src/federation/media-types.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { advanceHostedKeys } from '../../src/registry/hosting/advance-hosted-keys.ts';
import { announceBroughtKey } from '../../src/registry/hosting/announce-brought-key.ts';
import type { HostedPreview } from '../../src/registry/hosting/hosted-entity.ts';
import { keepUploadedConfiguration } from '../../src/registry/hosting/keep-uploaded-configuration.ts';
import { readHosting } from '../../src/registry/hosting/read-hosting.ts';
import { rollHostedKey } from '../../src/registry/hosting/roll-hosted-key.ts';
import { stopHosting } from '../../src/registry/hosting/stop-hosting.ts';
import { takeHostedKey } from '../../src/registry/hosting/take-hosted-key.ts';
import { updateHosting } from '../../src/registry/hosting/update-hosting.ts';
import { enrolmentOf, keyProof } from './enrolment.ts';
import { NOW } from './federation.ts';
import { signJwt } from './keys.ts';
import { ALL_ROLES, actor, freshIdentifier, freshJwks, NOW_DATE, type TestRegistry, testSigner } from './registry.ts';
import type { Verb } from './registry-verbs.ts';
import { freshKey } from './subordinate-keys.ts';

const METADATA = { openid_relying_party: { client_name: 'Clinic' } };
/** What was announced then is known to everybody now. */
const EARLIER = new Date(NOW_DATE.getTime() - 365 * 86_400_000);

/** Signs as the service does what it publishes. */
function published({ entityIdentifier, superior, metadata, key }: HostedPreview): Promise<string> {
  const claims = {
    ...{ iss: entityIdentifier, sub: entityIdentifier, iat: NOW, exp: NOW + 60 },
    jwks: { keys: [key.publicJwk as JsonObject] },
    authority_hints: [superior],
    metadata,
  };
  const { sealedPrivateKey, kid } = key;
  if (sealedPrivateKey === null) throw new Error('not sealed');
  const held = { kid, alg: 'ES256', owner: entityIdentifier, purpose: 'hosted-entity', sealedPrivateKey } as const;
  return testSigner.sign(held, lintHostedConfiguration(claims, { maxLifetimeSeconds: 3600 }));
}

interface HostedByTest {
  id: string;
  entityIdentifier: string;
  /** What is published for it. */
  configuration: () => Promise<string>;
}

/** An active entity that is hosted, made without the service. */
export async function hostedEntity(registry: TestRegistry, authority: Authority): Promise<HostedByTest> {
  const entityIdentifier = freshIdentifier('hosted');
  const key = await generateHostedKey(entityIdentifier);
  const { id } = await registry.entity(await registry.organisation(authority), {
    entityIdentifier,
    enrolment: 'hosted',
    jwks: { keys: [key.publicJwk] },
    hosting: { metadata: METADATA, configurationLifetimeSeconds: 3600, key },
  });
  const settings = { metadata: METADATA, configurationLifetimeSeconds: 3600 };
  const draft = { entityIdentifier, superior: authority.entityIdentifier, ...settings, key };
  return { id, entityIdentifier, configuration: () => published(draft) };
}

export const generateHostedKey = (entityIdentifier: string) =>
  testSigner.generateKey(entityIdentifier, 'ES256', 'hosted-entity');
const proven = { evidence: { challenge: 'c', outOfBandCheck: 'called' }, alongside: async () => {} };

/** A hosted entity that uploads, with the key that it brought. */
async function uploading(registry: TestRegistry, authority: Authority) {
  const { id } = await hostedEntity(registry, authority);
  const [jwk] = (await freshJwks()).keys;
  if (jwk === undefined) throw new Error('no key');
  await announceBroughtKey(registry.context(actor(), { now: EARLIER }), id, { jwk, ...proven });
  const uploaded = { jwt: 'e30.e30.', iat: NOW, kid: jwk.kid };
  await keepUploadedConfiguration(registry.context(), id, uploaded);
  return { id, kid: jwk.kid };
}

const KEEPERS = ['admin', 'registrar'] as const;

export const HOSTING_READS: Verb[] = [
  {
    name: 'readHosting',
    roles: ALL_ROLES,
    scope: 'authority',
    audit: [],
    prepare: async (registry, authority) => {
      const { id } = await hostedEntity(registry, authority);
      return ({ db, actor: by }) => readHosting(db, by, id);
    },
  },
];

export const HOSTING_CHANGES: Verb[] = [
  {
    name: 'updateHosting',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.update_hosting'],
    prepare: async (registry, authority) => {
      const { id } = await hostedEntity(registry, authority);
      return (context) => updateHosting(context, id, { configurationLifetimeSeconds: 7200 }, undefined);
    },
  },
  {
    name: 'rollHostedKey',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.roll_hosted_key'],
    prepare: async (registry, authority) => {
      const { id } = await hostedEntity(registry, authority);
      return (context) => rollHostedKey(context, id, { reason: undefined }, generateHostedKey);
    },
  },
  {
    name: 'advanceHostedKeys',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.advance_hosted_keys'],
    prepare: async (registry, authority) => {
      const { id } = await hostedEntity(registry, authority);
      await rollHostedKey(registry.context(actor(), { now: EARLIER }), id, { reason: undefined }, generateHostedKey);
      return (context) => advanceHostedKeys(context, id);
    },
  },
  {
    name: 'enrolHosted',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.add'],
    prepare: async (registry, authority) => {
      const { id } = await registry.organisation(authority);
      const input = { ...enrolmentOf(id, freshIdentifier('hosted')), hosting: { metadata: METADATA } };
      return (context) => enrolHosted(context, input, { generateKey: generateHostedKey, preview: published });
    },
  },
  {
    name: 'updateHosted',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.update_hosting'],
    prepare: async (registry, authority) => {
      const { id, configuration } = await hostedEntity(registry, authority);
      await recheckEntity(registry.context(), id, configuration);
      return (context) => updateHosted(context, id, { configurationLifetimeSeconds: 7200 }, undefined, configuration);
    },
  },
  {
    name: 'bringHostedKey',
    roles: ['registrar'],
    scope: 'authority',
    audit: ['entity.bring_key'],
    prepare: async (registry, authority) => {
      const { id, entityIdentifier } = await hostedEntity(registry, authority);
      const key = await freshKey();
      const { challenge } = await createEnrolmentChallenge(registry.context(), authority.id, entityIdentifier);
      const proof = await keyProof(key, { iss: entityIdentifier, aud: authority.entityIdentifier, nonce: challenge });
      const brought = { jwks: { keys: [key.jwk] }, challenge, keyProofs: [proof], outOfBandCheck: 'called back' };
      return (context) => bringHostedKey(context, id, brought);
    },
  },
  {
    name: 'uploadConfiguration',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.upload_configuration'],
    prepare: async (registry, authority) => {
      const { id, entityIdentifier } = await hostedEntity(registry, authority);
      const key = await freshKey();
      await announceBroughtKey(registry.context(actor(), { now: EARLIER }), id, { jwk: key.jwk, ...proven });
      const jwt = await signJwt(key, TYP.entityStatement, {
        ...{ iss: entityIdentifier, sub: entityIdentifier, iat: NOW, exp: NOW + 60 },
        jwks: { keys: [key.jwk] },
        authority_hints: [authority.entityIdentifier],
        metadata: METADATA,
      });
      await recheckEntity(registry.context(), id, async () => jwt);
      return (context) => uploadConfiguration(context, id, jwt);
    },
  },
  {
    name: 'takeHostedKey',
    roles: ['admin'],
    scope: 'authority',
    audit: ['entity.take_hosted_key'],
    prepare: async (registry, authority) => {
      const { id, configuration } = await hostedEntity(registry, authority);
      const jwt = await configuration();
      const { alg: _, use: __, ...recipient } = (await freshKey()).jwk;
      const tools = { exportKey: async () => 'jwe', presentConfiguration: async () => jwt };
      return (context) => takeHostedKey(context, id, { recipient, reason: 'a reason of the test' }, tools);
    },
  },
  {
    name: 'announceBroughtKey',
    roles: ['registrar'],
    scope: 'authority',
    audit: ['entity.bring_key'],
    prepare: async (registry, authority) => {
      const { id } = await hostedEntity(registry, authority);
      const { jwk } = await freshKey();
      return (context) => announceBroughtKey(context, id, { jwk, ...proven });
    },
  },
  {
    name: 'keepUploadedConfiguration',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.upload_configuration'],
    prepare: async (registry, authority) => {
      const { id, kid } = await uploading(registry, authority);
      return (context) => keepUploadedConfiguration(context, id, { jwt: 'e30.e30.later', iat: NOW + 1, kid });
    },
  },
  {
    name: 'stopHosting',
    roles: KEEPERS,
    scope: 'authority',
    audit: ['entity.stop_hosting'],
    prepare: async (registry, authority) => {
      const { id } = await uploading(registry, authority);
      return (context) => stopHosting(context, id, { reason: 'a reason of the test' });
    },
  },
];
