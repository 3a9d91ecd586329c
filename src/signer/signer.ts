/** The one entrance to the keys we hold, whoever has custody of them; only linted statements are signed. */
import type { Jwk } from '../federation/jwk-set.ts';
import type { LintedStatement } from '../federation/lint/linted-statement.ts';
import type { Algorithm } from '../federation/signature.ts';
import type { LintedDer, SignedKind } from '../pki/signed/linted-der.ts';
import { signedDer } from '../pki/signed/signed-der.ts';
import {
  CustodyUnavailable,
  type GeneratedKey,
  type KeyCustody,
  type KeyPurpose,
  type NoteTokenKey,
  type SealedKey,
  type SigningKey,
  type TokenKey,
} from './custody/key-custody.ts';
import { createSealedCustody } from './custody/sealed-custody.ts';
import type { MasterKey } from './sealing.ts';

export interface Signer<Held extends SigningKey = SigningKey> {
  /** Makes a key pair in the custody of new keys; its `kid` is the thumbprint of RFC 7638. @throws CustodyUnavailable */
  generateKey(owner: string, alg: Algorithm, purpose?: KeyPurpose): Promise<GeneratedKey<Held>>;
  /**
   * Signs what a lint let pass, in the custody that the key is in. The key of a hosted entity signs nothing but Entity
   * Configurations of that entity.
   * @throws UnsealError, CustodyUnavailable, TypeError when the key is not for this
   */
  sign(key: SigningKey, statement: LintedStatement): Promise<string>;
  /**
   * The same in the form of X.509: a certificate, a request, a list of revocations, or a BasicOCSPResponse, in DER. Keys of
   * certification authorities and of OCSP responders sign nothing else.
   * @throws UnsealError, CustodyUnavailable, TypeError when the key is not for this
   */
  signDer(key: SigningKey, linted: LintedDer): Promise<Uint8Array>;
  /** The same key sealed under another master key. @throws UnsealError */
  rewrap(key: SealedKey, masterKey: MasterKey): Uint8Array;
  /** The private JWK of a hosted entity's key as a JWE for `recipient`, who takes it along. @throws UnsealError, TypeError */
  exportKey(key: SealedKey, recipient: Jwk): Promise<string>;
}

/** A token beside the database: it signs with the keys that it holds, and makes new ones where it is told to. */
export interface TokenCustody {
  token: KeyCustody<TokenKey>;
  makesNewKeys: boolean;
  /** Told of each new key before it is made in the token. */
  note?: NoteTokenKey;
}

export function createSigner(masterKey: MasterKey): Signer<SealedKey>;
export function createSigner(masterKey: MasterKey, custody: TokenCustody | undefined): Signer;
export function createSigner(masterKey: MasterKey, custody?: TokenCustody): Signer {
  const sealed = createSealedCustody(masterKey);

  function signatureOf(key: SigningKey, signingInput: Uint8Array): Promise<Uint8Array> {
    if (key.custody !== 'pkcs11') return sealed.sign(key, signingInput);
    if (custody !== undefined) return custody.token.sign(key, signingInput);
    const message = `the key ${key.kid} is in a PKCS#11 token, and none is set up here; set HOLDFAST_PKCS11_MODULE`;
    return Promise.reject(new CustodyUnavailable(message));
  }

  return {
    generateKey: (owner, alg, purpose = 'federation') =>
      (custody?.makesNewKeys ? custody.token : sealed).generateKey(owner, alg, purpose, custody?.note),
    async sign(key, statement) {
      requirePurpose(key, statement);
      const header = JSON.stringify({ ...statement.header, typ: statement.typ, alg: key.alg, kid: key.kid });
      return await compactJws(header, statement.spend(), (signingInput) => signatureOf(key, signingInput));
    },
    async signDer(key, linted) {
      requireX509Purpose(key, linted);
      const contents = linted.spend();
      return signedDer(contents, await signatureOf(key, contents.toBeSigned));
    },
    rewrap: sealed.rewrap,
    exportKey: sealed.exportKey,
  };
}

/** Its custody knows a hosted entity's key by its owner, so what is checked here is what the key was made for. */
function requirePurpose({ kid, owner, purpose }: SigningKey, { configurationOf }: LintedStatement): void {
  if (purpose === 'federation' || (purpose === 'hosted-entity' && configurationOf === owner)) return;
  const what = purpose === 'hosted-entity' ? `Entity Configurations of ${owner}` : SIGNED_BY[purpose].join(', ');
  throw new TypeError(`the key ${kid} signs ${what} and nothing else`);
}

const SIGNED_BY: Readonly<Record<'certification-authority' | 'ocsp-responder', readonly SignedKind[]>> = {
  'certification-authority': ['certificate', 'certificate-request', 'revocation-list'],
  'ocsp-responder': ['ocsp-response'],
};

function requireX509Purpose({ kid, alg, purpose }: SigningKey, linted: LintedDer): void {
  const isForThis = purpose !== 'federation' && purpose !== 'hosted-entity' && SIGNED_BY[purpose].includes(linted.kind);
  if (isForThis && alg === linted.alg) return;
  throw new TypeError(`the key ${kid} (${purpose}, ${alg}) does not sign a ${linted.kind} with ${linted.alg}`);
}

/**
 * A JWS in compact form (RFC 7515 §7.1). Put together here, on Node's Buffer, because signing is what we do most: jose's
 * CompactSign takes twice the time, most of it for base64url.
 */
async function compactJws(
  header: string,
  payload: string,
  sign: (signingInput: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  const signingInput = `${base64url(header)}.${base64url(payload)}`;
  const { buffer, byteOffset, byteLength } = await sign(Buffer.from(signingInput, 'latin1'));
  return `${signingInput}.${Buffer.from(buffer, byteOffset, byteLength).toString('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
