/** Public keys of members by what they are for, as JWK Sets and certificates. @see RFC 7517, RFC 7638, RFC 7468 */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../federation/json.ts';
import type { Jwk } from '../federation/jwk-set.ts';
import { keyThumbprint } from '../federation/key-thumbprint.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import {
  chainPem,
  type KeyStoreOwner,
  MAX_PUBLISHED,
  type PublishedCredential,
  type PublishedCredentials,
  readPublishedCredentials,
} from '../registry/credentials/published-credentials.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { RegistryChange } from '../storage/change-feed.ts';
import type { Db } from '../storage/connect.ts';
import type { CredentialUsage } from '../storage/schema/credentials.ts';
import { FollowingCache } from './following-cache.ts';
import { type KeySetName, pemUrl } from './key-store-urls.ts';
import type { UnsignedAnswer } from './ready-answers.ts';

export interface KeyStoresOptions {
  db: Db;
  clock: Clock;
  /** Where clients reach the service. */
  baseUrl: string;
}

/** The keys of a set are for one of these. */
const USAGES: Readonly<Record<KeySetName, readonly CredentialUsage[]>> = {
  transport: ['transport'],
  signing: ['signing'],
  encryption: ['encryption'],
  application: ['signing', 'encryption'],
};

export interface KeySet {
  name: KeySetName;
  standing: 'active' | 'inactive';
}

/** What is kept of an answer, or of a refusal: both stay until something changes. */
interface Kept {
  answer: UnsignedAnswer | RegistryError;
  until: NumericDate;
}

/** Of a set: whoever registers the longest chains there are makes no answer that hurts others. */
const MAX_BYTES = 8 * 1024 * 1024;
const CACHE_BYTES = 32 * 1024 * 1024;
const ENTRY_BYTES = 400;
/** Anybody may ask for anything; these leave the database to others. */
const MAX_LOADS = 16;
/** All answers are in one scope: what changes keys at all is rare beside their being read. */
const SCOPE = '';

/** Changes after which other keys may count. */
const CHANGED_BY: ReadonlySet<string> = new Set([
  'organisation',
  'entity',
  'credential',
  'authority',
  'trust_list_entry',
]);

const JWK_SET = 'application/jwk-set+json';
const PEM_CHAIN = 'application/pem-certificate-chain';

export class KeyStores {
  readonly #options: KeyStoresOptions;
  readonly #kept = new FollowingCache<Kept>({
    maxBytes: CACHE_BYTES,
    maxLoads: MAX_LOADS,
    sizeOf: ({ answer }) => ENTRY_BYTES + (answer instanceof RegistryError ? 0 : answer.body.length),
  });

  constructor(options: KeyStoresOptions) {
    this.#options = options;
  }

  /**
   * A JWK Set.
   * @throws RegistryError not_found, limit_reached when an organisation has too many keys for one answer; TooManyLoads
   */
  async keySet(owner: KeyStoreOwner, { name, standing }: KeySet): Promise<UnsignedAnswer> {
    const usages = USAGES[name];
    return await this.#answer(`${name} ${standing} ${placeOf(owner)}`, async (now) => {
      const published = await readPublishedCredentials(this.#options.db, owner, { usages, standing }, now);
      if (published === undefined) return undefined;
      if (published.isCut && standing === 'active') return keptUntil(published, tooMany(owner));
      const wanted = standing === 'active' ? activeKeys(published) : inactiveKeys(published);
      const keys = await Promise.all(wanted.map(async (key) => JSON.stringify(await this.#jwk(owner, key))));
      const fitting = upTo(MAX_BYTES, keys);
      if (fitting.length < keys.length && standing === 'active') return keptUntil(published, tooMany(owner));
      return keptUntil(published, `{"keys":[${fitting.join()}]}`, JWK_SET);
    });
  }

  /**
   * A certificate that counts or did, with those above it, the leaf first.
   * @param fingerprint SHA-256 in base64url: thumbprint of its key (its `kid`), or of the certificate (`x5t#S256`)
   * @throws RegistryError not_found, TooManyLoads
   */
  async certificate(owner: KeyStoreOwner & { entityId: string }, fingerprint: string): Promise<UnsignedAnswer> {
    return await this.#answer(`pem ${fingerprint} ${placeOf(owner)}`, async (now) => {
      const published = await readPublishedCredentials(this.#options.db, owner, { fingerprint }, now);
      if (published === undefined) return undefined;
      const named = published.credentials.filter(({ kid, x5tS256 }) => kid === fingerprint || x5tS256 === fingerprint);
      const chain = (named.find(({ isLive, x5c }) => isLive && x5c !== null) ?? named.find(({ x5c }) => x5c !== null))
        ?.x5c;
      if (chain != null) return keptUntil(published, chainPem(chain), PEM_CHAIN);
      return keptUntil(published, await noCertificate(published, fingerprint));
    });
  }

  async #answer(question: string, load: (now: Date) => Promise<Kept | undefined>): Promise<UnsignedAnswer> {
    const now = this.#options.clock.now();
    const ready = this.#kept.get(SCOPE, question);
    if (ready !== undefined && ready.until > now) return answerOf(ready);
    if (this.#kept.isAbsent(SCOPE, question)) throw unknownOwner();
    const kept = await this.#kept.load(SCOPE, question, () => load(new Date(now * 1000)));
    if (kept === undefined) throw unknownOwner();
    return answerOf(kept);
  }

  async #jwk({ organisationId }: KeyStoreOwner, credential: PublishedCredential): Promise<JsonObject> {
    const { entityId, usage, publicJwk, x5c, x5tS256 } = credential;
    const { kid: _, use: __, ...members } = publicJwk;
    const jwk: JsonObject = { ...members, kid: await kidOf(credential), use: usage === 'encryption' ? 'enc' : 'sig' };
    if (x5c === null || x5tS256 === null) return jwk;
    const x5u = pemUrl(this.#options.baseUrl, { organisationId, entityId }, x5tS256);
    return { ...jwk, x5c, 'x5t#S256': x5tS256, x5u };
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(changes: readonly RegistryChange[]): void {
    if (changes.some(({ subjectKind }) => CHANGED_BY.has(subjectKind))) this.#kept.deleteScope(SCOPE);
  }
}

/** What a key is known by in a set: its certificate where that is compared with one of TLS, else the key itself. */
function identityOf({ usage, kid, x5tS256 }: PublishedCredential): string {
  return `${usage} ${usage === 'transport' ? (x5tS256 ?? kid) : kid}`;
}

/** Those that count, each once: of certificates for one signing key the newest. */
function activeKeys({ credentials }: PublishedCredentials): PublishedCredential[] {
  return once(credentials.filter(({ isLive }) => isLive));
}

/** Those that count no longer, each once. */
function inactiveKeys({ credentials }: PublishedCredentials): PublishedCredential[] {
  const active = new Set(activeKeys({ credentials, isCut: false, changesAt: null }).map(identityOf));
  return once(credentials.filter((credential) => !credential.isLive && !active.has(identityOf(credential))));
}

function once(credentials: readonly PublishedCredential[]): PublishedCredential[] {
  const byIdentity = new Map<string, PublishedCredential>();
  for (const credential of credentials) {
    const identity = identityOf(credential);
    if (!byIdentity.has(identity)) byIdentity.set(identity, credential);
  }
  return [...byIdentity.values()];
}

/** Those of the texts, ASCII, that fit into so many bytes together; the first ones. */
function upTo(maxBytes: number, texts: readonly string[]): string[] {
  let bytes = 0;
  return texts.filter(({ length }) => {
    bytes += length;
    return bytes <= maxBytes;
  });
}

/** The thumbprint, whatever name whoever handed in a bare key gave to it. */
async function kidOf({ kind, kid, publicJwk }: PublishedCredential): Promise<string> {
  return kind === 'x509' ? kid : await keyThumbprint(publicJwk as Jwk);
}

function placeOf(owner: KeyStoreOwner): string {
  return `${owner.organisationId} ${'entityId' in owner ? owner.entityId : `${owner.mode} ${owner.environment}`}`;
}

function keptUntil({ changesAt }: PublishedCredentials, refusal: RegistryError): Kept;
function keptUntil({ changesAt }: PublishedCredentials, text: string, contentType: string): Kept;
function keptUntil({ changesAt }: PublishedCredentials, given: RegistryError | string, contentType = ''): Kept {
  const until = changesAt === null ? Number.POSITIVE_INFINITY : changesAt.getTime() / 1000;
  if (given instanceof RegistryError) return { answer: given, until };
  const body = Buffer.from(given);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { answer: { body, etag, contentType, expiresAt: until, refreshAt: until }, until };
}

function answerOf({ answer }: Kept): UnsignedAnswer {
  if (answer instanceof RegistryError) throw answer;
  return answer;
}

function unknownOwner(): RegistryError {
  return new RegistryError('not_found', 'no such organisation with such an application has keys here');
}

function tooMany(owner: KeyStoreOwner): RegistryError {
  const instead = 'entityId' in owner ? 'by what they are for' : 'of each application';
  const message = `there are more than ${MAX_PUBLISHED} keys, or 8 MiB of certificates; ask for those ${instead}`;
  return new RegistryError('limit_reached', message);
}

async function noCertificate({ credentials }: PublishedCredentials, fingerprint: string): Promise<RegistryError> {
  const kids = await Promise.all(credentials.map(kidOf));
  if (!kids.includes(fingerprint)) return new RegistryError('not_found', 'this application has no such certificate');
  return new RegistryError('not_found', 'this key came without a certificate; it is in the JWK Sets');
}
