/**
 * Verifies software statements of Holdfast: what an authority says of an application to a server where it registers.
 * @see RFC 7591 §2.3, OIDFED §9 (keys of the authority)
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';

/** Longest time since it was signed, in seconds. Whoever has an older one gets a new one. */
const MAX_AGE_SECONDS = 600;
const LEEWAY_SECONDS = 30;
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'RS256'];

export interface SoftwareStatement extends JWTPayload {
  /** Id of the application's record. */
  software_id: string;
  /** Its Entity Identifier. */
  software_client_id: string;
  software_client_name: string;
  software_mode: 'Live' | 'Test';
  software_environment: string;
  software_roles: string[];
  redirect_uris?: string[];
  /** Its keys that count, and its certificates for TLS that do. */
  jwks_uri: string;
  software_jwks_transport_uri: string;
  org_id: string;
  org_name: string;
  scope?: string;
}

/** The authority, known out of band. */
export interface TrustedAuthority {
  entityIdentifier: string;
  /** Its Federation Entity Keys, as `holdfast anchor fetch` writes them down once they were compared. */
  jwks: JSONWebKeySet;
}

/** Why a statement is not taken. */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused';
}

export interface VerificationOptions {
  authority: TrustedAuthority;
  /** Gets a JSON document or a JWT from an https address. */
  fetch: (url: string) => Promise<Response>;
  now?: () => Date;
}

/**
 * A statement that the authority signed minutes ago, about an application that has keys that count even now: of one
 * that was suspended meanwhile there are none.
 * @throws StatementRefused
 */
export async function verifySoftwareStatement(jwt: string, options: VerificationOptions): Promise<SoftwareStatement> {
  const { authority, now = () => new Date() } = options;
  const keys = createLocalJWKSet(await currentKeys(options));
  const { payload } = await jwtVerify<SoftwareStatement>(jwt, keys, {
    algorithms: ALGORITHMS,
    typ: 'software-statement+jwt',
    issuer: authority.entityIdentifier,
    maxTokenAge: MAX_AGE_SECONDS,
    clockTolerance: LEEWAY_SECONDS,
    currentDate: now(),
    requiredClaims: [
      'iat',
      'exp',
      'jti',
      'software_id',
      'software_client_id',
      'org_id',
      'jwks_uri',
      'software_jwks_transport_uri',
    ],
  }).catch((cause: unknown) => {
    throw new StatementRefused(`the software statement does not verify: ${cause}`, { cause });
  });
  if (payload['software_status'] !== 'Active' || payload['org_status'] !== 'Active') {
    throw new StatementRefused('the software statement is about somebody who is not active');
  }
  await requireKeys([payload.jwks_uri, payload.software_jwks_transport_uri], options);
  return payload;
}

/**
 * Keys that the authority has now. Its Entity Configuration, signed with one that is believed, shows the next one long
 * before it signs, and one that was revoked no more. (What it signed with a key before that, a year ago, say, is verified
 * with its historical keys, OIDFED §8.7; a software statement is never that old.)
 */
async function currentKeys({ authority, fetch, now = () => new Date() }: VerificationOptions): Promise<JSONWebKeySet> {
  const { entityIdentifier, jwks } = authority;
  const response = await fetch(`${entityIdentifier.replace(/\/$/, '')}/.well-known/openid-federation`);
  if (!response.ok) throw new StatementRefused(`${entityIdentifier} does not say which keys it has`);
  const { payload } = await jwtVerify(await response.text(), createLocalJWKSet(jwks), {
    algorithms: ALGORITHMS,
    typ: 'entity-statement+jwt',
    issuer: entityIdentifier,
    subject: entityIdentifier,
    clockTolerance: LEEWAY_SECONDS,
    currentDate: now(),
  }).catch((cause: unknown) => {
    throw new StatementRefused(`the configuration of ${entityIdentifier} does not verify: ${cause}`, { cause });
  });
  return payload['jwks'] as JSONWebKeySet;
}

/** Some clients sign, others show a certificate. */
async function requireKeys(addresses: readonly string[], { fetch }: VerificationOptions): Promise<void> {
  for (const address of addresses) {
    const response = await fetch(address);
    const { keys = [] } = response.ok ? ((await response.json()) as Partial<JSONWebKeySet>) : {};
    if (keys.length > 0) return;
  }
  throw new StatementRefused('the application has no key that counts');
}
