/** Keys in a PKCS#11 token: made there, used there; connects again by itself when the token was away. */
import { hash, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Jwk } from '../../../federation/jwk-set.ts';
import { ALGORITHMS, type Algorithm } from '../../../federation/signature.ts';
import {
  CustodyUnavailable,
  type GeneratedKey,
  type KeyCustody,
  type KeyPurpose,
  type NoteTokenKey,
  type TokenKey,
  type TokenKeyPlace,
} from '../key-custody.ts';
import { isTokenAlgorithm, MEANS, type TokenAlgorithm, verifies } from './mechanisms.ts';
import { type ConnectionSettings, TokenConnection } from './token-connection.ts';
import {
  TokenFailure,
  type TokenFailureKind,
  type TokenKeyName,
  type TokenOrder,
  type TokenOrderTo,
  type TokenResults,
} from './token-messages.ts';

export interface TokenCustodyOptions extends Omit<ConnectionSettings, 'sessions'> {
  sessions?: number;
  /** Told when the token goes away, and of everything else that goes wrong with it, once until it is back; and when it is. */
  onChange?: (event: { isHere: boolean; detail: string }) => void;
  /** A clock that nobody can set, in milliseconds. */
  monotonicMs?: () => number;
}

/** What can be mended only by an operator, who is told at the start. */
export class TokenUnusable extends Error {
  override readonly name = 'TokenUnusable';
}

const DEFAULT_SESSIONS = 4;
/** Between attempts to connect again. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const TOKEN_OBJECT_BYTES = 16;
const TRIAL_BYTES = 32;
const TELL_AGAIN_MS = 3_600_000;
/** Those that leave nothing to talk to; the others are about what was asked. */
const CONNECTION_FAILURES: ReadonlySet<TokenFailureKind> = new Set([
  'package_missing',
  'module_unusable',
  'pin_refused',
  'token_absent',
  'token_lost',
]);

export class Pkcs11Custody implements KeyCustody<TokenKey>, AsyncDisposable {
  readonly #options: TokenCustodyOptions;
  readonly #monotonicMs: () => number;
  #connection: TokenConnection | undefined;
  #connecting: Promise<TokenConnection> | undefined;
  /** What the last attempt came to, and when the next one may be made. */
  #failure: TokenFailure | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #nextAttemptMs = 0;
  /** What went wrong, by kind and key, when it was last told of. */
  readonly #toldMs = new Map<string, number>();
  /** Until a connection was of use again. */
  #isAway = false;
  /** Who starts the service hears of the first attempt by itself. */
  #isOpening = true;
  /** Whether the connection was of use already. */
  #isProven = false;
  #isDisposed = false;

  constructor(options: TokenCustodyOptions) {
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  /**
   * Connects for the first time.
   * @throws TokenUnusable with what to mend
   * @throws CustodyUnavailable when the token is not here: it may come
   */
  async open(): Promise<void> {
    try {
      await this.#connected();
    } catch (error) {
      const kind = error instanceof TokenFailure ? error.kind : undefined;
      if (kind !== 'package_missing' && kind !== 'module_unusable' && kind !== 'pin_refused') throw unavailable(error);
      throw new TokenUnusable(error instanceof Error ? error.message : String(error), { cause: error });
    } finally {
      this.#isOpening = false;
    }
  }

  /** @throws CustodyUnavailable, and what `note` fails with */
  async generateKey(
    owner: string,
    alg: Algorithm,
    purpose: KeyPurpose,
    note?: NoteTokenKey,
  ): Promise<GeneratedKey<TokenKey>> {
    const place: TokenKeyPlace = { owner, purpose, tokenObject: newTokenObject() };
    const order = { key: keyName(place), alg: usable(alg) };
    await note?.(place);
    const publicMembers = await this.#carryOut<'generate'>({ verb: 'generate', ...order });
    const kid = await calculateJwkThumbprint(publicMembers as JWK);
    const publicJwk = { ...publicMembers, kid, alg, use: 'sig' } as Jwk;
    const key: GeneratedKey<TokenKey> = { ...place, kid, alg, custody: 'pkcs11', sealedPrivateKey: null, publicJwk };
    await this.#tryOut(key);
    return key;
  }

  /** Before a key is published: what it signs must be what its public half verifies. */
  async #tryOut(key: GeneratedKey<TokenKey>): Promise<void> {
    const input = randomBytes(TRIAL_BYTES);
    const signature = await this.sign(key, input);
    if (verifies(usable(key.alg), key.publicJwk, input, signature)) return;
    const message = `${nameOfToken(this.#options)} made a key for ${key.alg} whose signatures do not verify; it is not used`;
    throw this.#troubled(new TokenFailure('refused', message));
  }

  /** Of an input of any length the token gets the digest alone. @throws CustodyUnavailable */
  async sign(key: TokenKey, signingInput: Uint8Array): Promise<Uint8Array> {
    const alg = usable(key.alg);
    const digest = hash(MEANS[alg].hash, signingInput, 'base64url');
    const signature = await this.#carryOut<'sign'>({ verb: 'sign', key: keyName(key), alg, digest });
    return Buffer.from(signature, 'base64url');
  }

  /** Destroys the private half of a key that signs no more. @throws CustodyUnavailable */
  async destroyKey(place: TokenKeyPlace): Promise<void> {
    await this.#carryOut<'destroy'>({ verb: 'destroy', key: keyName(place) });
  }

  /** What a restart of the token broke off is done once more with a new connection. */
  async #carryOut<Verb extends TokenOrder['verb']>(order: TokenOrderTo<Verb>): Promise<TokenResults[Verb]> {
    try {
      return await this.#attempt(order);
    } catch (error) {
      if (!(error instanceof TokenFailure) || error.kind !== 'token_lost') throw this.#troubled(error, order.key);
    }
    try {
      // It may have been made before the answer was lost, and two keys must not have one name.
      if (order.verb === 'generate') await this.#attempt<'destroy'>({ verb: 'destroy', key: order.key });
      return await this.#attempt(order);
    } catch (error) {
      throw this.#troubled(error, order.key);
    }
  }

  async #attempt<Verb extends TokenOrder['verb']>(order: TokenOrderTo<Verb>): Promise<TokenResults[Verb]> {
    const connection = await this.#connected();
    try {
      const result = await connection.carryOut(order);
      if (!this.#isProven) this.#proven(connection);
      return result;
    } catch (error) {
      if (connection.isOver) this.#lost(connection, error);
      throw error;
    }
  }

  async #connected(): Promise<TokenConnection> {
    const connection = this.#connection;
    if (connection !== undefined && !connection.isOver) return connection;
    if (this.#isDisposed) throw new TokenFailure('token_lost', 'the service stops');
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return await this.#connecting;
  }

  async #connect(): Promise<TokenConnection> {
    if (this.#failure?.kind === 'pin_refused') throw this.#failure;
    if (this.#monotonicMs() < this.#nextAttemptMs) {
      throw this.#failure ?? new TokenFailure('token_absent', 'the token was lost before it was of use');
    }
    try {
      const { module, label, pin, environment, sessions = DEFAULT_SESSIONS } = this.#options;
      const connection = await TokenConnection.open({ module, label, pin, environment, sessions });
      this.#connection = connection;
      this.#failure = undefined;
      this.#isProven = false;
      this.#pauseBeforeNext();
      return connection;
    } catch (error) {
      this.#pauseBeforeNext();
      throw this.#failed(error);
    }
  }

  /** A token that was of use is connected to again at once when it is lost: it may just have been restarted. */
  #proven(connection: TokenConnection): void {
    if (this.#connection !== connection) return;
    this.#isProven = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#nextAttemptMs = 0;
    for (const kind of CONNECTION_FAILURES) this.#toldMs.delete(kind);
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.onChange?.({ isHere: true, detail: `${nameOfToken(this.#options)} is here again` });
  }

  #lost(connection: TokenConnection, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#failed(error);
  }

  #failed(error: unknown): TokenFailure {
    const message = error instanceof Error ? error.message : String(error);
    const failure = error instanceof TokenFailure ? error : new TokenFailure('token_lost', message);
    this.#failure = failure;
    this.#isAway = true;
    this.#tell(failure, failure.kind);
    return failure;
  }

  /** What keeps a key from being used although the token is here is told of as well, key by key. */
  #troubled(error: unknown, key?: TokenKeyName): CustodyUnavailable {
    if (error instanceof TokenFailure && !CONNECTION_FAILURES.has(error.kind)) {
      this.#tell(error, `${error.kind} ${key?.label ?? ''}`);
    }
    return unavailable(error);
  }

  #tell({ message }: TokenFailure, what: string): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - (this.#toldMs.get(what) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return;
    this.#toldMs.set(what, nowMs);
    if (!this.#isOpening) this.#options.onChange?.({ isHere: false, detail: message });
  }

  #pauseBeforeNext(): void {
    this.#nextAttemptMs = this.#monotonicMs() + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const connection = (await this.#connecting?.catch(() => undefined)) ?? this.#connection;
    await connection?.[Symbol.asyncDispose]();
  }
}

/** Found by its id, and by what it is for: what one owner's key is called finds no other's. */
function keyName({ owner, purpose, tokenObject }: TokenKeyPlace): TokenKeyName {
  return { id: tokenObject, label: `holdfast ${purpose} ${owner}` };
}

function nameOfToken({ label }: Pick<TokenCustodyOptions, 'label'>): string {
  return `the token ${JSON.stringify(label)}`;
}

function newTokenObject(): string {
  return randomBytes(TOKEN_OBJECT_BYTES).toString('hex');
}

function usable(alg: Algorithm): TokenAlgorithm {
  if (isTokenAlgorithm(alg)) return alg;
  const usual = Object.keys(MEANS).join(', ');
  throw new CustodyUnavailable(
    `keys in a token are for ${usual}; ${ALGORITHMS[alg].kty} with ${alg} is not done there`,
  );
}

function unavailable(error: unknown): CustodyUnavailable {
  if (error instanceof CustodyUnavailable) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CustodyUnavailable(message, { cause: error });
}
