/** A token as the process that talks to it has it: logged in once, with a session for each order under way. */
import { createRequire } from 'node:module';
import type { Attribute, Handle, PKCS11 } from 'pkcs11js';
import type { JsonObject } from '../../../federation/json.ts';
import { CKA, CKF, CKO_PRIVATE_KEY, CKU_USER } from './constants.ts';
import { MEANS, publicAttributes, publicMembers, type TokenAlgorithm } from './mechanisms.ts';
import { TokenFailure, type TokenKeyName, type TokenSettings } from './token-messages.ts';

const PACKAGE = 'pkcs11js';

/** Loads the module and logs in. @throws TokenFailure */
export function openToken({ module, label, pin, sessions }: TokenSettings): Token {
  const pkcs11 = loadModule(module);
  try {
    pkcs11.C_Initialize({ flags: CKF.OS_LOCKING_OK });
    const slot = findSlot(pkcs11, label);
    const first = pkcs11.C_OpenSession(slot, CKF.SERIAL_SESSION);
    logIn(pkcs11, { slot, session: first, pin, label });
    return new Token(pkcs11, { slot, name: nameOfToken(label) }, [
      first,
      ...furtherSessions(pkcs11, slot, sessions - 1),
    ]);
  } catch (error) {
    if (error instanceof TokenFailure) throw error;
    throw new TokenFailure('token_absent', `${nameOfToken(label)} says ${complaintOf(error)}`);
  }
}

function nameOfToken(label: string): string {
  return `the token ${JSON.stringify(label)}`;
}

/** Found beside Holdfast, and where NODE_PATH says. */
function loadModule(module: string): PKCS11 {
  let pkcs11: PKCS11;
  try {
    const require = createRequire(import.meta.url);
    const { PKCS11: Pkcs11 }: typeof import('pkcs11js') = require('pkcs11js');
    pkcs11 = new Pkcs11();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    const what = isMissing ? 'is not installed' : `cannot be loaded (${complaintOf(error)})`;
    const message = `keys in a PKCS#11 token need the package ${PACKAGE}, which ${what}; run: npm install --no-save ${PACKAGE}@2.1.7`;
    throw new TokenFailure('package_missing', message);
  }
  try {
    pkcs11.load(module);
  } catch (error) {
    throw new TokenFailure('module_unusable', `the PKCS#11 module ${module} cannot be loaded: ${complaintOf(error)}`);
  }
  return pkcs11;
}

function findSlot(pkcs11: PKCS11, label: string): Handle {
  const slots = pkcs11.C_GetSlotList(true);
  const labels = slots.map((slot) => pkcs11.C_GetTokenInfo(slot).label.trimEnd());
  const matching = slots.filter((_, index) => labels[index] === label);
  const [slot] = matching;
  if (slot !== undefined && matching.length === 1) return slot;
  const present = labels.filter((name) => name !== '').map((name) => JSON.stringify(name));
  const named = `the label ${JSON.stringify(label)}`;
  const message = matching.length > 1 ? `several tokens have ${named}` : `no token has ${named}; there ${are(present)}`;
  throw new TokenFailure('token_absent', message);
}

function are(names: readonly string[]): string {
  if (names.length === 0) return 'is none';
  return `${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
}

/** Tried once: a token locks itself after a few wrong PINs, so the last try is left to a person. */
function logIn(
  pkcs11: PKCS11,
  { slot, session, pin, label }: { slot: Handle; session: Handle; pin: string; label: string },
): void {
  const { flags } = pkcs11.C_GetTokenInfo(slot);
  const token = nameOfToken(label);
  if ((flags & CKF.USER_PIN_LOCKED) !== 0) throw new TokenFailure('pin_refused', `the PIN of ${token} is locked`);
  if ((flags & CKF.USER_PIN_FINAL_TRY) !== 0) {
    const message = `${token} allows one more try before it locks its PIN, which is not risked; log in by other means once`;
    throw new TokenFailure('pin_refused', message);
  }
  try {
    pkcs11.C_Login(session, CKU_USER, pin);
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint === 'CKR_USER_ALREADY_LOGGED_IN') return;
    if (!complaint.startsWith('CKR_PIN_')) throw error;
    const message = `${token} refuses the PIN (${complaint}); it is not tried again, lest the token lock itself`;
    throw new TokenFailure('pin_refused', message);
  }
}

/** As many as the token allows, but for one: keys are made and destroyed in a session of their own. */
function furtherSessions(pkcs11: PKCS11, slot: Handle, count: number): Handle[] {
  const sessions: Handle[] = [];
  try {
    while (sessions.length <= count) sessions.push(pkcs11.C_OpenSession(slot, CKF.SERIAL_SESSION));
  } catch (error) {
    if (complaintOf(error) !== 'CKR_SESSION_COUNT') throw error;
  }
  const spare = sessions.pop();
  if (spare !== undefined) pkcs11.C_CloseSession(spare);
  return sessions;
}

/** A token in software is quicker, one in hardware or across a network is not. */
const QUICK_MS = 0.5;

export class Token {
  readonly #pkcs11: PKCS11;
  readonly #slot: Handle;
  /** For messages. */
  readonly #name: string;
  readonly #freeSessions: Handle[];
  readonly #waiting: ((session: Handle) => void)[] = [];
  /** Whether a signature takes less time than another thread to be woken up for it; then it is waited for. */
  #isQuick = false;
  /** Private keys found before, by name. */
  readonly #handles = new Map<string, Handle>();

  constructor(pkcs11: PKCS11, { slot, name }: { slot: Handle; name: string }, sessions: Handle[]) {
    this.#pkcs11 = pkcs11;
    this.#slot = slot;
    this.#name = name;
    this.#freeSessions = sessions;
  }

  /** @param digest in base64url @returns the signature in base64url @throws TokenFailure */
  async sign(key: TokenKeyName, alg: TokenAlgorithm, digest: string): Promise<string> {
    const { prefix, sign, signatureBytes } = MEANS[alg];
    const input = Buffer.concat([prefix, Buffer.from(digest, 'base64url')]);
    return await this.#guarded(() =>
      this.#inSession(async (session) => {
        const startedAt = performance.now();
        this.#pkcs11.C_SignInit(session, sign, this.#find(session, key));
        const output = Buffer.alloc(signatureBytes);
        const signature = this.#isQuick
          ? this.#pkcs11.C_Sign(session, input, output)
          : await this.#pkcs11.C_SignAsync(session, input, output);
        this.#isQuick = performance.now() - startedAt < QUICK_MS;
        // The module may read it in another thread, where nothing else keeps it from being collected until now.
        input.fill(0);
        return signature.toString('base64url');
      }),
    );
  }

  /** Makes a key pair whose private half cannot leave the token. @returns members of its public half @throws TokenFailure */
  async generate(key: TokenKeyName, alg: TokenAlgorithm): Promise<JsonObject> {
    return await this.#guarded(() => this.#inWritingSession((session) => this.#generate(session, key, alg)));
  }

  async #generate(session: Handle, { id, label }: TokenKeyName, alg: TokenAlgorithm): Promise<JsonObject> {
    const publicTemplate: Attribute[] = [
      { type: CKA.TOKEN, value: false },
      { type: CKA.VERIFY, value: true },
      ...MEANS[alg].publicTemplate,
    ];
    const privateTemplate: Attribute[] = [
      { type: CKA.TOKEN, value: true },
      { type: CKA.PRIVATE, value: true },
      { type: CKA.SENSITIVE, value: true },
      { type: CKA.EXTRACTABLE, value: false },
      { type: CKA.SIGN, value: true },
      // Some tokens allow by themselves what nobody forbids.
      { type: CKA.DECRYPT, value: false },
      { type: CKA.UNWRAP, value: false },
      { type: CKA.DERIVE, value: false },
      { type: CKA.ID, value: Buffer.from(id, 'hex') },
      { type: CKA.LABEL, value: label },
    ];
    const pkcs11 = this.#pkcs11;
    const pair = await pkcs11.C_GenerateKeyPairAsync(session, MEANS[alg].generate, publicTemplate, privateTemplate);
    const protection = pkcs11.C_GetAttributeValue(session, pair.privateKey, [
      { type: CKA.SENSITIVE },
      { type: CKA.EXTRACTABLE },
    ]);
    const [sensitive, extractable] = protection.map(({ value }) => value[0] !== 0);
    if (sensitive !== true || extractable !== false) {
      pkcs11.C_DestroyObject(session, pair.privateKey);
      throw new TokenFailure('refused', `${this.#name} made a key that can be extracted; it was destroyed`);
    }
    return publicMembers(alg, pkcs11.C_GetAttributeValue(session, pair.publicKey, publicAttributes(alg)));
  }

  /** Destroys a private key; that it is gone already is fine. @throws TokenFailure */
  async destroy(key: TokenKeyName): Promise<void> {
    await this.#guarded(() =>
      this.#inWritingSession(async (session) => {
        this.#handles.delete(nameOf(key));
        for (const handle of this.#search(session, key)) this.#pkcs11.C_DestroyObject(session, handle);
      }),
    );
  }

  #find(session: Handle, key: TokenKeyName): Handle {
    const known = this.#handles.get(nameOf(key));
    if (known !== undefined) return known;
    const [handle] = this.#search(session, key);
    if (handle === undefined) {
      // A token that went away may look as if it were empty: this fails then.
      for (const slot of this.#pkcs11.C_GetSlotList(true)) this.#pkcs11.C_GetTokenInfo(slot);
      const message = `${this.#name} has no key ${key.id}, labelled ${JSON.stringify(key.label)}`;
      throw new TokenFailure('key_missing', message);
    }
    this.#handles.set(nameOf(key), handle);
    return handle;
  }

  #search(session: Handle, { id, label }: TokenKeyName): Handle[] {
    this.#pkcs11.C_FindObjectsInit(session, [
      { type: CKA.CLASS, value: CKO_PRIVATE_KEY },
      { type: CKA.ID, value: Buffer.from(id, 'hex') },
      { type: CKA.LABEL, value: label },
    ]);
    try {
      return this.#pkcs11.C_FindObjects(session, 2);
    } finally {
      this.#pkcs11.C_FindObjectsFinal(session);
    }
  }

  async #inSession<T>(work: (session: Handle) => Promise<T>): Promise<T> {
    const session = this.#freeSessions.pop() ?? (await new Promise<Handle>((resolve) => this.#waiting.push(resolve)));
    let usable = session;
    try {
      return await work(session);
    } catch (error) {
      if (!(error instanceof TokenFailure)) usable = this.#replaced(session);
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#freeSessions.push(usable);
      else next(usable);
    }
  }

  /** What failed in a session may have left an operation behind, which the next one would stumble over. */
  #replaced(session: Handle): Handle {
    // In this order: the token forgets a login with the last session.
    const fresh = this.#pkcs11.C_OpenSession(this.#slot, CKF.SERIAL_SESSION);
    this.#pkcs11.C_CloseSession(session);
    return fresh;
  }

  async #inWritingSession<T>(work: (session: Handle) => Promise<T>): Promise<T> {
    const session = this.#pkcs11.C_OpenSession(this.#slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
    try {
      return await work(session);
    } finally {
      this.#pkcs11.C_CloseSession(session);
    }
  }

  /** What fails in the module says that session, login, handles or token are gone, unless it is about what was asked. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TokenFailure) throw error;
      const complaint = complaintOf(error);
      throw new TokenFailure(REFUSALS.has(complaint) ? 'refused' : 'token_lost', `${this.#name} says ${complaint}`);
    }
  }
}

/** What a token answers that works, but does not do such a thing. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CKR_ACTION_PROHIBITED',
  'CKR_ATTRIBUTE_TYPE_INVALID',
  'CKR_ATTRIBUTE_VALUE_INVALID',
  'CKR_DEVICE_MEMORY',
  'CKR_DOMAIN_PARAMS_INVALID',
  'CKR_FUNCTION_NOT_SUPPORTED',
  'CKR_KEY_FUNCTION_NOT_PERMITTED',
  'CKR_KEY_SIZE_RANGE',
  'CKR_KEY_TYPE_INCONSISTENT',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
  'CKR_TEMPLATE_INCOMPLETE',
  'CKR_TEMPLATE_INCONSISTENT',
  'CKR_TOKEN_WRITE_PROTECTED',
  'CKR_CURVE_NOT_SUPPORTED',
]);

function nameOf({ id, label }: TokenKeyName): string {
  return `${id} ${label}`;
}

/** The name of the error, `CKR_…` where the module says it; never what it was called with. */
function complaintOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'something unknown';
}
