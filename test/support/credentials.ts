/** Credentials of entities in tests. */
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addCredential, type NewCredential } from '../../src/registry/credentials/add-credential.ts';
import type { Credential } from '../../src/registry/credentials/credential.ts';
import type { CredentialMaterial } from '../../src/registry/credentials/credential-material.ts';
import { certificate, ecKey, type KeyPair, pem } from './certificates.ts';
import type { TestRegistry } from './registry.ts';

/** A certificate for TLS clients, valid from 2026 to 2036, of a fresh key unless one is given. */
export function clientCertificate(key: KeyPair = ecKey(), serial = 1): { certificate: string } {
  return { certificate: pem(certificate({ key, serial: [serial] })) };
}

/** The public half as JWK, without a kid. */
export function publicJwk(key: KeyPair = ecKey()): { jwk: Extract<CredentialMaterial, { jwk: object }>['jwk'] } {
  const { kty, crv, x, y } = key.publicKey.export({ format: 'jwk' });
  return { jwk: { kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '' } };
}

/** A fresh transport certificate of an active entity of its own, unless told otherwise. */
export async function credential(
  registry: TestRegistry,
  authority: Authority,
  settings: Partial<NewCredential> = {},
): Promise<Credential> {
  const { id } = await registry.entity(await registry.organisation(authority));
  return await addCredential(registry.context(), id, {
    usage: 'transport',
    material: clientCertificate(),
    ...settings,
  });
}
