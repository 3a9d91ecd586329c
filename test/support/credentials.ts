/** Credentials of entities in tests. */
import { CompactSign, calculateJwkThumbprint, type JWK } from 'jose';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addCredential, type NewCredential } from '../../src/registry/credentials/add-credential.ts';
import type { Credential } from '../../src/registry/credentials/credential.ts';
import type { CredentialMaterial } from '../../src/registry/credentials/credential-material.ts';
import { certificate, ecKey, type KeyPair, pem } from './certificates.ts';
import { NOW } from './federation.ts';
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

let proofs = 0;

/** A proof of possession of the key, right unless told otherwise; a change to `undefined` leaves a member out. */
export async function possessionProof(
  key: KeyPair,
  { sub, aud }: { sub: string; aud: string },
  { header = {}, claims = {} }: { header?: object; claims?: object } = {},
): Promise<string> {
  const { kty, crv, x, y, n, e } = key.publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty, crv, x, y, n, e } as JWK);
  const alg = kty === 'RSA' ? 'PS256' : crv === 'Ed25519' ? 'Ed25519' : 'ES256';
  return await new CompactSign(
    new TextEncoder().encode(JSON.stringify({ sub, aud, iat: NOW, jti: `proof-${++proofs}`, ...claims })),
  )
    .setProtectedHeader({ typ: 'credential-possession+jwt', alg, kid, ...header })
    .sign(key.privateKey);
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
