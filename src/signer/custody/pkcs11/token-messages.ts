/** What the service and the process that talks to the token say to each other. */
import type { JsonObject } from '../../../federation/json.ts';
import type { TokenAlgorithm } from './mechanisms.ts';

/** Which token, and how to get at it. */
export interface TokenSettings {
  /** Path of the PKCS#11 module, a shared library that came with the token. */
  module: string;
  /** Label of the token. */
  label: string;
  pin: string;
  /** Sessions for signatures at the same time; a token that allows fewer gets fewer. */
  sessions: number;
}

/** Which key, and whose. */
export interface TokenKeyName {
  /** CKA_ID in hexadecimal. */
  id: string;
  /** CKA_LABEL: says what the key is for and whose it is; no other finds it. */
  label: string;
}

export type TokenOrder =
  | { verb: 'sign'; key: TokenKeyName; alg: TokenAlgorithm; digest: string }
  | { verb: 'generate'; key: TokenKeyName; alg: TokenAlgorithm }
  | { verb: 'destroy'; key: TokenKeyName };

/** The order with this verb. */
export type TokenOrderTo<Verb extends TokenOrder['verb']> = Extract<TokenOrder, { verb: Verb }>;

/** What each order is answered with: a signature in base64url, the members of the public key, nothing. */
export interface TokenResults {
  sign: string;
  generate: JsonObject;
  destroy: null;
}

/**
 * Why an order, or the opening, failed.
 * - `package_missing`, `module_unusable`, `pin_refused`: for the operator to mend
 * - `token_absent`, `token_lost`: there was none by that name, or it went away; a new process finds it when it is back
 * - `key_missing`: the token is here, without the key
 * - `refused`: the token does not do what was asked of it
 * - `late`: the token works, but did not get round to it
 */
export type TokenFailureKind =
  | 'package_missing'
  | 'module_unusable'
  | 'pin_refused'
  | 'token_absent'
  | 'token_lost'
  | 'key_missing'
  | 'refused'
  | 'late';

export interface TokenFailureReport {
  kind: TokenFailureKind;
  message: string;
}

/** From the service: first how to open the token, then orders, as many at a time as have come together. */
export type TokenRequest = { open: TokenSettings } | { orders: { number: number; order: TokenOrder }[] };

/** What an order came to, under its number. */
export type TokenAnswer =
  | { number: number; result: TokenResults[TokenOrder['verb']] }
  | { number: number; failure: TokenFailureReport };

/** To the service. */
export type TokenReply = { opened: TokenFailureReport | null } | { answers: TokenAnswer[] };

export class TokenFailure extends Error {
  override readonly name = 'TokenFailure';
  readonly kind: TokenFailureKind;

  constructor(kind: TokenFailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
