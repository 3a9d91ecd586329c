/** The key of a root: in a folder that is kept apart from the service, under a passphrase, opened for a moment to certify. */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign as signWith,
  verify as verifyWith,
  X509Certificate,
} from 'node:crypto';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LintedDer, SignedKind, X509Algorithm } from '../pki/signed/linted-der.ts';
import { signedDer } from '../pki/signed/signed-der.ts';

/** A root whose key is open. */
export interface OfflineRoot {
  alg: X509Algorithm;
  /** SubjectPublicKeyInfo in DER. */
  spki: Uint8Array;
  /** Its own certificate, in DER. */
  certificate: Uint8Array;
  /** @throws TypeError for anything but a certificate, or a list of revocations, of its algorithm */
  sign(linted: LintedDer): Uint8Array;
  /** Whether it signed these bytes. @param signature as X.509 has it */
  hasSigned(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** What is to be mended about the folder or its files; says nothing of the key or the passphrase. */
export class OfflineRootError extends Error {
  override readonly name = 'OfflineRootError';
}

export const ROOT_KEY_FILE = 'root.key';
export const ROOT_CERTIFICATE_FILE = 'root.pem';
export const ROOT_LIST_FILE = 'root.crl';

/** Encrypted PKCS #8 is derived in a few thousand steps (RFC 8018 §5.2): the passphrase has to be long by itself. */
export const MIN_PASSPHRASE_LENGTH = 16;

const CIPHER = 'aes-256-cbc';
/** The folder is its owner's alone. */
const OTHERS_MAY_ACCESS = 0o077;
const RSA_MODULUS_BITS = 4096;
const DIGESTS: Readonly<Record<X509Algorithm, string>> = { ES256: 'sha256', ES384: 'sha384', RS256: 'sha256' };
const SIGNED: readonly SignedKind[] = ['certificate', 'revocation-list'];

const generate = promisify(generateKeyPair);

/** Whether a folder has a root, or a part of one. @throws OfflineRootError when others may look into it */
export async function hasOfflineRoot(folder: string): Promise<boolean> {
  await requireOwn(folder);
  return (await isThere(path.join(folder, ROOT_KEY_FILE))) || (await isThere(path.join(folder, ROOT_CERTIFICATE_FILE)));
}

/**
 * Makes a root: its key, and the certificate that it signs for itself. Nothing that is there is written over.
 * @param certify writes and lints that certificate
 * @throws OfflineRootError
 */
export async function makeOfflineRoot(
  folder: string,
  passphrase: string,
  alg: X509Algorithm,
  certify: (spki: Uint8Array) => LintedDer,
): Promise<OfflineRoot> {
  requirePassphrase(passphrase);
  await makeFolder(folder);
  if (await hasOfflineRoot(folder)) throw new OfflineRootError(`${folder} has a root already; it is not written over`);
  const key = await newKey(alg);
  const spki = spkiOf(key);
  const certificate = signedWith(key, alg, certify(spki));
  const sealed = key.export({ type: 'pkcs8', format: 'pem', cipher: CIPHER, passphrase });
  await writeNew(path.join(folder, ROOT_KEY_FILE), sealed, 0o600);
  await writeNew(path.join(folder, ROOT_CERTIFICATE_FILE), new X509Certificate(certificate).toString(), 0o644);
  return rootOf(key, alg, certificate);
}

/** @throws OfflineRootError */
export async function openOfflineRoot(folder: string, passphrase: string): Promise<OfflineRoot> {
  await requireOwn(folder);
  const [keyFile, certificateFile] = [path.join(folder, ROOT_KEY_FILE), path.join(folder, ROOT_CERTIFICATE_FILE)];
  if (((await stat(keyFile).catch(noSuchFile(keyFile))).mode & OTHERS_MAY_ACCESS) !== 0) {
    throw new OfflineRootError(`${keyFile} is open to others on this machine; run: chmod 600 ${keyFile}`);
  }
  const sealed = await readFile(keyFile, 'utf8').catch(noSuchFile(keyFile));
  const published = await readFile(certificateFile, 'utf8').catch(noSuchFile(certificateFile));
  const key = openedKey(sealed, passphrase, keyFile);
  const certificate = certificateOf(published, certificateFile);
  if (!certificate.checkPrivateKey(key)) {
    throw new OfflineRootError(`${certificateFile} is not the certificate of ${keyFile}; bring the two together again`);
  }
  const alg = algorithmOf(key, keyFile);
  return rootOf(key, alg, new Uint8Array(certificate.raw));
}

function rootOf(key: KeyObject, alg: X509Algorithm, certificate: Uint8Array): OfflineRoot {
  return {
    ...{ alg, certificate, spki: spkiOf(key) },
    sign: (linted) => signedWith(key, alg, linted),
    hasSigned: (bytes, signature) => verifyWith(DIGESTS[alg], bytes, createPublicKey(key), signature),
  };
}

function openedKey(sealed: string, passphrase: string, file: string): KeyObject {
  if (!sealed.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')) {
    throw new OfflineRootError(`${file} is no encrypted private key (PKCS #8); a root is kept under a passphrase`);
  }
  try {
    return createPrivateKey({ key: sealed, format: 'pem', passphrase });
  } catch {
    // What OpenSSL says about it helps nobody but who guesses.
    throw new OfflineRootError(`the passphrase does not open ${file}`);
  }
}

function certificateOf(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new OfflineRootError(`${file} is no certificate in PEM`);
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, file: string): X509Algorithm {
  if (asymmetricKeyType === 'rsa') return 'RS256';
  const curve = asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return 'ES256';
  if (curve === 'secp384r1') return 'ES384';
  throw new OfflineRootError(`${file} is a key of another kind than RSA, P-256, P-384`);
}

async function newKey(alg: X509Algorithm): Promise<KeyObject> {
  if (alg === 'RS256') return (await generate('rsa', { modulusLength: RSA_MODULUS_BITS })).privateKey;
  return (await generate('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })).privateKey;
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}

function signedWith(key: KeyObject, alg: X509Algorithm, linted: LintedDer): Uint8Array {
  if (!SIGNED.includes(linted.kind) || linted.alg !== alg) {
    throw new TypeError(`a root signs certificates and lists with ${alg}, no ${linted.kind} with ${linted.alg}`);
  }
  const contents = linted.spend();
  const padding = alg === 'RS256' ? { padding: constants.RSA_PKCS1_PADDING } : { dsaEncoding: 'ieee-p1363' as const };
  const signature = signWith(DIGESTS[alg], contents.toBeSigned, { key, ...padding });
  return signedDer(contents, new Uint8Array(signature));
}

function requirePassphrase(passphrase: string): void {
  if (passphrase.length >= MIN_PASSPHRASE_LENGTH) return;
  throw new OfflineRootError(`the passphrase of a root has at least ${MIN_PASSPHRASE_LENGTH} characters`);
}

async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  // Whatever the process masks.
  if (made !== undefined) await chmod(folder, 0o700);
}

async function requireOwn(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) throw new OfflineRootError(`${folder} is no folder`);
  if ((found.mode & OTHERS_MAY_ACCESS) === 0) return;
  throw new OfflineRootError(`${folder} is open to others on this machine; run: chmod 700 ${folder}`);
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

/** @throws OfflineRootError when it is there */
async function writeNew(file: string, content: string | Buffer, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx', mode, flush: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'EEXIST' ? 'it is there already, and not written over' : String(code ?? 'unknown');
    throw new OfflineRootError(`cannot write ${file}: ${why}`);
  }
}

function noSuchFile(file: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'ENOENT' ? 'there is no such file' : code;
    throw new OfflineRootError(`cannot read ${file}: ${why}`);
  };
}
