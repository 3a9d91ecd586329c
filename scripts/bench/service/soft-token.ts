/** A token of SoftHSM2, made for a run and initialised with the means of its Debian package `softhsm2`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PKCS11JS_CACHE } from './pkcs11js-cache.ts';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

export interface SoftToken {
  module: string;
  label: string;
  pin: string;
  /** What programs need to find the token. */
  environment: { SOFTHSM2_CONF: string };
  /** Where the token is; without it, it is unplugged. */
  tokenDir: string;
}

/** @throws Error saying what to install */
export function createSoftToken(folder: string): SoftToken {
  const module = MODULES.find((file) => existsSync(file));
  if (module === undefined) throw new Error('SoftHSM2 is not installed here; on Debian: apt-get install softhsm2');
  const tokenDir = path.join(folder, 'tokens');
  mkdirSync(tokenDir, { recursive: true, mode: 0o700 });
  const configuration = path.join(folder, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${tokenDir}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const environment = { SOFTHSM2_CONF: configuration };
  const [label, pin] = ['holdfast', 'pin-of-the-soft-token'];
  const args = ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', 'pin-of-the-security-officer'];
  execFileSync('softhsm2-util', args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'ignore', 'pipe'] });
  return { module, label, pin, environment, tokenDir };
}

/** Where pkcs11js is found, for NODE_PATH. @throws Error saying what to install */
export function pkcs11jsFolder(): string {
  const require = createRequire(import.meta.url);
  const folders = [path.join(import.meta.dirname, '../../../node_modules'), PKCS11JS_CACHE];
  for (const folder of folders) {
    try {
      require(path.join(folder, 'pkcs11js'));
      return folder;
    } catch {
      // Not there, or not built.
    }
  }
  throw new Error('pkcs11js is not installed here; run: npm install --no-save pkcs11js@2.1.7');
}
