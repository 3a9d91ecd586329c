/**
 * A stand-in for the package pkcs11js, with a token that can be told to misbehave in ways that no real one can be brought
 * to: the process that talks to it finds it by NODE_PATH.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RSA_MODULUS_BITS } from '../../src/signer/custody/key-custody.ts';
import type { ConnectionSettings } from '../../src/signer/custody/pkcs11/token-connection.ts';

/** How it is with the token; what is not said is as it should be. */
export interface Behaviour {
  isAbsent?: boolean;
  /** Most sessions at a time. */
  sessions?: number;
  /** Signatures come only when this many have been released: in the order in which they were begun. */
  released?: number;
  /** Keys are not finished. */
  isMakingHeld?: boolean;
  /** What every signature fails with, leaving its operation behind in the session. */
  signError?: string;
  /** The public half does not belong to the private one. */
  isKeyWrong?: boolean;
}

export interface UnrulyToken extends Disposable {
  settings: ConnectionSettings;
  behave: (behaviour: Behaviour) => void;
}

const generate = () => generateKeyPairSync('rsa', { modulusLength: RSA_MODULUS_BITS });
const [right, wrong] = [generate(), generate()];

export function createUnrulyToken({ sessions = 2 }: { sessions?: number } = {}): UnrulyToken {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-unruly-token-'));
  const home = path.join(folder, 'pkcs11js');
  mkdirSync(home);
  const behave = (behaviour: Behaviour) => {
    // It is read all the time: a rename shows the whole file or none.
    const unfinished = path.join(home, 'behaviour.new');
    writeFileSync(unfinished, JSON.stringify(behaviour));
    renameSync(unfinished, path.join(home, 'behaviour.json'));
  };
  behave({});
  writeFileSync(path.join(home, 'key.pem'), right.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(path.join(home, 'public.json'), JSON.stringify(right.publicKey.export({ format: 'jwk' })));
  writeFileSync(path.join(home, 'wrong.json'), JSON.stringify(wrong.publicKey.export({ format: 'jwk' })));
  writeFileSync(path.join(home, 'index.js'), PACKAGE);
  return {
    settings: {
      ...{ module: '/lib/unruly.so', label: 'unruly', pin: 'pin-of-the-unruly', sessions },
      environment: { ...process.env, NODE_PATH: folder },
    },
    behave,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const PACKAGE = `
const { constants, createPrivateKey, privateEncrypt } = require('node:crypto');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const file = (name) => path.join(__dirname, name);
const json = (name) => JSON.parse(readFileSync(file(name), 'utf8'));
const behaviour = () => json('behaviour.json');
const key = createPrivateKey(readFileSync(file('key.pem')));
const kept = () => (existsSync(file('objects.json')) ? json('objects.json') : []);
const keep = (objects) => writeFileSync(file('objects.json'), JSON.stringify(objects));
const [LABEL, ID, SENSITIVE, EXTRACTABLE, MODULUS] = [0x3, 0x102, 0x103, 0x162, 0x120];

exports.PKCS11 = class {
  #open = new Set();
  #busy = new Set();
  #last = 0;
  #begun = 0;
  #found = [];
  load() {}
  C_Initialize() {}
  C_Login() {}
  C_GetSlotList() {
    return behaviour().isAbsent ? [] : [Buffer.of(1)];
  }
  C_GetTokenInfo() {
    return { label: 'unruly', flags: 0 };
  }
  C_OpenSession() {
    if (this.#open.size >= (behaviour().sessions ?? 99)) throw new Error('CKR_SESSION_COUNT');
    const session = Buffer.of(++this.#last);
    this.#open.add(session[0]);
    return session;
  }
  C_CloseSession(session) {
    this.#open.delete(session[0]);
  }
  C_FindObjectsInit(_, template) {
    const wanted = (type) => template.find((one) => one.type === type).value;
    const isWanted = ({ id, label }) => id === wanted(ID).toString('hex') && label === wanted(LABEL);
    this.#found = kept().filter(isWanted).map(({ id }) => Buffer.from(id, 'hex'));
  }
  C_FindObjects() {
    return this.#found;
  }
  C_FindObjectsFinal() {}
  C_DestroyObject(_, object) {
    keep(kept().filter(({ id }) => id !== object.toString('hex')));
  }
  async C_GenerateKeyPairAsync(_session, _mechanism, _public, template) {
    const value = (type) => template.find((one) => one.type === type).value;
    while (behaviour().isMakingHeld) await new Promise((resolve) => setTimeout(resolve, 2));
    keep([...kept(), { id: value(ID).toString('hex'), label: value(LABEL) }]);
    return { publicKey: Buffer.of(1), privateKey: value(ID) };
  }
  C_GetAttributeValue(_session, _object, attributes) {
    const jwk = json(behaviour().isKeyWrong ? 'wrong.json' : 'public.json');
    const values = { [SENSITIVE]: Buffer.of(1), [EXTRACTABLE]: Buffer.of(0), [MODULUS]: Buffer.from(jwk.n, 'base64url') };
    return attributes.map(({ type }) => ({ type, value: values[type] ?? Buffer.from(jwk.e, 'base64url') }));
  }
  C_SignInit(session) {
    if (this.#busy.has(session[0])) throw new Error('CKR_OPERATION_ACTIVE');
    this.#busy.add(session[0]);
  }
  C_Sign(session, input) {
    const { signError } = behaviour();
    if (signError !== undefined) throw new Error(signError);
    this.#busy.delete(session[0]);
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, input);
  }
  async C_SignAsync(session, input) {
    const turn = ++this.#begun;
    while (turn > (behaviour().released ?? Infinity)) await new Promise((resolve) => setTimeout(resolve, 2));
    return this.C_Sign(session, input);
  }
};
`;
