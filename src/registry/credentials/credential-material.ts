/** The certificate or key that somebody hands in: what of it is recorded, or why it is not taken. */

import type { JsonObject } from '../../federation/json.ts';
import { isJsonObject } from '../../federation/json.ts';
import { checkJwkSet, type Jwk } from '../../federation/jwk-set.ts';
import { keyThumbprint } from '../../federation/key-thumbprint.ts';
import { certificateComplaint, keyComplaint } from '../../pki/certificate-usage.ts';
import { parseCertificates } from '../../pki/parse-certificate.ts';
import { type PublicJwk, parsePublicJwk } from '../../pki/public-key.ts';
import type { CredentialUsage } from '../../storage/schema/credentials.ts';
import { asField, refusedField } from '../certificate-input.ts';
import { invalidField } from '../registry-error.ts';
import type { CredentialRow } from './credential.ts';

/** A certificate alone or with those above it, as PEM; or a public key. */
export type CredentialMaterial = { certificate: string } | { jwk: JsonObject; notAfter?: Date | null };

/** What a record says of its certificate or key. */
export type MaterialColumns = Pick<
  CredentialRow,
  | 'kind'
  | 'kid'
  | 'publicJwk'
  | 'spkiSha256'
  | 'x5tS256'
  | 'x5c'
  | 'subject'
  | 'issuer'
  | 'serial'
  | 'notBefore'
  | 'notAfter'
>;

const MAX_KID_LENGTH = 512;

/** @throws RegistryError validation_failed, with the `reason` of a CertificateError where there is one */
export async function readMaterial(
  material: CredentialMaterial,
  usage: CredentialUsage,
  now: Date,
): Promise<MaterialColumns> {
  return 'jwk' in material
    ? await readJwk(material, usage, now)
    : await readCertificate(material.certificate, usage, now);
}

async function readCertificate(pem: string, usage: CredentialUsage, now: Date): Promise<MaterialColumns> {
  const field = '/certificate';
  const chain = asField(field, () => parseCertificates(pem));
  const [leaf] = chain;
  const complaint = certificateComplaint(leaf, usage);
  if (complaint !== undefined) throw refusedField(field, 'usage_unsuitable', complaint);
  const { jwk, spkiSha256, x5tS256, subject, issuer, serial } = leaf;
  const [notBefore, notAfter] = [new Date(leaf.notBefore * 1000), new Date(leaf.notAfter * 1000)];
  if (notAfter < now) throw invalidField(field, `has expired at ${notAfter.toISOString()}`);
  const x5c = chain.map(({ der }) => Buffer.from(der).toString('base64'));
  const kid = await keyThumbprint({ ...jwk, kid: '' } as Jwk);
  const publicJwk = { ...jwk, kid } as JsonObject;
  return { kind: 'x509', kid, publicJwk, spkiSha256, x5tS256, x5c, subject, issuer, serial, notBefore, notAfter };
}

async function readJwk(
  { jwk, notAfter = null }: { jwk: JsonObject; notAfter?: Date | null },
  usage: CredentialUsage,
  now: Date,
): Promise<MaterialColumns> {
  const field = '/jwk';
  const [given] = asField(field, () => checkJwkSet({ keys: [{ kid: 'unnamed', ...jwk }] }, '').keys);
  if (given === undefined || !isJsonObject(jwk)) throw invalidField(field, 'is a public JWK');
  const { jwk: members, spkiSha256 } = asField(field, () => parsePublicJwk(given as PublicJwk));
  const complaint = keyComplaint(members, usage) ?? statedUseComplaint(given, usage);
  if (complaint !== undefined) throw refusedField(field, 'usage_unsuitable', complaint);
  if (notAfter !== null && notAfter <= now) throw invalidField('/notAfter', 'is over');
  const kid = jwk['kid'] === undefined ? await keyThumbprint({ ...members, kid: '' } as Jwk) : given.kid;
  if (kid.length > MAX_KID_LENGTH) throw invalidField('/jwk/kid', `has at most ${MAX_KID_LENGTH} characters`);
  const { alg, use } = given;
  const publicJwk = {
    ...members,
    ...(alg !== undefined && { alg }),
    ...(use !== undefined && { use }),
    kid,
  } as JsonObject;
  const ofCertificates = { x5tS256: null, x5c: null, subject: null, issuer: null, serial: null, notBefore: null };
  return { kind: 'jwk', kid, publicJwk, spkiSha256, ...ofCertificates, notAfter };
}

function statedUseComplaint({ use, alg }: Jwk, usage: CredentialUsage): string | undefined {
  if (alg !== undefined && (typeof alg !== 'string' || !/^[A-Za-z0-9+_-]{1,64}$/.test(alg)))
    return 'has an `alg` that is none';
  if (use !== undefined && use !== (usage === 'encryption' ? 'enc' : 'sig'))
    return `says by \`use\` that it is not for ${usage}`;
  return undefined;
}
