/**
 * Proof that whoever hands in a certificate or key has its private half, a document of ours: a JWT signed with it.
 * Without one, anybody could put somebody else's public certificate on record as his own. @see RFC 7519
 */
import { createHash } from 'node:crypto';
import { FederationError } from '../../federation/errors.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import { keyThumbprint } from '../../federation/key-thumbprint.ts';
import { TYP } from '../../federation/media-types.ts';
import { ALGORITHM_NAMES, keyComplaint, parseSignedJwt, verifySignature } from '../../federation/signature.ts';
import { isNumericDate } from '../../federation/time.ts';
import type { Tx } from '../../storage/connect.ts';
import type { CredentialPossession } from '../../storage/schema/credentials.ts';
import { UsedAssertionRecords } from '../../storage/used-assertions.ts';
import { isMember } from '../actor.ts';
import { authorityOf } from '../authorities/read-authority.ts';
import type { ChangeContext } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import type { CredentialRow } from './credential.ts';

/** How far the time of signing may be from now, in seconds. */
export const MAX_PROOF_AGE_SECONDS = 300;
const MAX_JTI_LENGTH = 512;

type Key = Pick<CredentialRow, 'publicJwk'>;
/** For whose entity, under which authority. */
type Claimed = Pick<ChangeContext, 'actor' | 'now'> & { authorityId: string; entityIdentifier: string };

/**
 * Judges a proof and takes note of it, so that it counts once at all nodes; works in the transaction that records the
 * credential. Members need one; what staff hand in without is recorded as unproven.
 * @throws RegistryError validation_failed at /proof, with `reason`: proof_missing, proof_used, or that of a
 *   FederationError
 */
export async function provePossession(
  tx: Tx,
  { actor, now, authorityId, entityIdentifier }: Claimed,
  { publicJwk }: Key,
  proof: string | undefined,
): Promise<CredentialPossession> {
  if (proof === undefined && !isMember(actor)) return 'unproven';
  const { entityIdentifier: audience } = await authorityOf(tx, { authorityId });
  const key = await bareKey(publicJwk as Jwk);
  if (proof === undefined) throw missing(key, entityIdentifier, audience);
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const { jti, iat } = await unlessInvalid(() => readProof(proof, key, { entityIdentifier, audience, nowSeconds }));
  const use = {
    client: digestOf(TYP.credentialPossession, key.kid),
    jti: digestOf(audience, jti),
    expiresAt: iat + MAX_PROOF_AGE_SECONDS + 1,
  };
  if (await new UsedAssertionRecords(tx).add(use, nowSeconds)) return 'proven';
  throw refused('proof_used', 'was used before; make another one');
}

/** What makes the key, whatever it is meant for, called by its thumbprint. */
async function bareKey({ kty, crv, x, y, n, e }: Jwk): Promise<Jwk> {
  const members = kty === 'RSA' ? { kty, n, e } : y === undefined ? { kty, crv, x } : { kty, crv, x, y };
  return { ...members, kid: await keyThumbprint({ ...members, kid: '' }) };
}

interface Expected {
  entityIdentifier: string;
  audience: string;
  nowSeconds: number;
}

/** @throws FederationError */
async function readProof(
  proof: string,
  key: Jwk,
  { entityIdentifier, audience, nowSeconds }: Expected,
): Promise<{ jti: string; iat: number }> {
  const signed = parseSignedJwt(proof, TYP.credentialPossession);
  await verifySignature(signed, { keys: [key] });
  const { sub, aud, iat, exp, jti } = signed.claims;
  requireClaim(sub === entityIdentifier, 'sub', `is ${entityIdentifier}, the entity that is to have it`);
  const audiences = Array.isArray(aud) ? aud : [aud];
  requireClaim(audiences.length === 1 && audiences[0] === audience, 'aud', `is ${audience} alone, the authority`);
  const isFresh = isNumericDate(iat) && Math.abs(nowSeconds - iat) <= MAX_PROOF_AGE_SECONDS;
  requireClaim(isFresh, 'iat', `is the time of signing, at most ${MAX_PROOF_AGE_SECONDS} s from now`);
  requireClaim(exp === undefined || (isNumericDate(exp) && exp > nowSeconds), 'exp', 'is ahead, if there is one');
  const isName = typeof jti === 'string' && jti !== '' && jti.length <= MAX_JTI_LENGTH;
  requireClaim(isName, 'jti', `is a string of at most ${MAX_JTI_LENGTH} characters, another one in each proof`);
  return { jti: jti as string, iat: iat as number };
}

function requireClaim(holds: boolean, claim: string, rule: string): void {
  if (!holds) throw new FederationError('claim_invalid', `its ${claim} ${rule}`, `/${claim}`);
}

async function unlessInvalid<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw refused(error.reason, `is refused: ${error.at} ${error.message}`.replace('  ', ' '));
  }
}

function missing(key: Jwk, entityIdentifier: string, audience: string): RegistryError {
  if (ALGORITHM_NAMES.every((algorithm) => keyComplaint(key, algorithm) !== undefined)) {
    return refused('proof_missing', `cannot be made with a key on ${key.crv}; ask a registrar to record it`);
  }
  const command = `holdfast credential prove ${entityIdentifier} --authority ${audience} --key FILE`;
  return refused('proof_missing', `is missing: show that you have the private key. Make it with: ${command}`);
}

function refused(reason: string, detail: string): RegistryError {
  const pointer = '/proof';
  return new RegistryError('validation_failed', `${pointer} ${detail}`, { errors: [{ pointer, detail }], reason });
}

function digestOf(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
}
