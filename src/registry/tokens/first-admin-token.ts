/** The way in before there is any admin: a single-use secret in a file that only the operator can read. */
import { timingSafeEqual } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hashToken, newTokenSecret } from './api-token.ts';

export const FIRST_ADMIN_TOKEN_LIFETIME_SECONDS = 15 * 60;

export class FirstAdminToken {
  readonly file: string;
  readonly #hash: Uint8Array;
  readonly #expiresAt: Date;
  #isWithdrawn = false;

  private constructor(file: string, hash: Uint8Array, expiresAt: Date) {
    this.file = file;
    this.#hash = hash;
    this.#expiresAt = expiresAt;
  }

  /** Writes a new secret to `<dataDir>/first-admin-token`, mode 0600; an older one is no longer good. */
  static async write(dataDir: string, now: Date): Promise<FirstAdminToken> {
    const file = path.join(dataDir, 'first-admin-token');
    const secret = newTokenSecret();
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await rm(file, { force: true });
    await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    const expiresAt = new Date(now.getTime() + FIRST_ADMIN_TOKEN_LIFETIME_SECONDS * 1000);
    return new FirstAdminToken(file, hashToken(secret), expiresAt);
  }

  matches(secret: string, now: Date): boolean {
    return timingSafeEqual(hashToken(secret), this.#hash) && now < this.#expiresAt && !this.#isWithdrawn;
  }

  /** Ends the token and removes its file, once it was used or nobody needs it. */
  async withdraw(): Promise<void> {
    this.#isWithdrawn = true;
    await rm(this.file, { force: true });
  }
}
