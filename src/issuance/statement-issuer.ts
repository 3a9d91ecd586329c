/** Signed statements of our authorities: signed once, stored for all nodes, reused until they change or age. */
import { and, eq, lt, lte, or, sql } from 'drizzle-orm';
import type { JsonObject } from '../federation/json.ts';
import type { HouseRules } from '../federation/lint/house-rules.ts';
import { lintEntityStatement } from '../federation/lint/lint-entity-statement.ts';
import type { Algorithm } from '../federation/signature.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { AuthorityKey } from '../registry/authorities/authority.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import { readSubordinate, type StoredStatement } from '../registry/entities/read-subordinate.ts';
import type { HostedKey } from '../registry/hosting/hosted-entity.ts';
import type { SigningKey } from '../signer/custody/key-custody.ts';
import type { Signer } from '../signer/signer.ts';
import type { Db } from '../storage/connect.ts';
import { issuedStatements } from '../storage/schema/issued-statements.ts';
import { buildEntityConfiguration, firstTrustMarkExpiry, trustMarksVersion } from './entity-configuration.ts';
import { buildHistoricalKeys, HISTORICAL_KEYS_LIFETIME_SECONDS, signHistoricalKeys } from './historical-keys.ts';
import { claimsHashOf, type IssuedStatement, issuedFrom, refreshTime, reuseOrIssue } from './issued-statement.ts';
import { lintOwn } from './lint-own.ts';
import { buildSubordinateStatement, liveKeys, truthEnds } from './subordinate-statement.ts';

export interface StatementIssuerOptions {
  db: Db;
  signer: Signer;
  clock: Clock;
  /** Uniform in [0, 1): spreads re-signing, so that statements issued together are not renewed together. */
  random: () => number;
  houseRules: HouseRules;
}

export class StatementIssuer {
  readonly #options: StatementIssuerOptions;
  readonly #saving: ReturnType<typeof composeSaving>;

  constructor(options: StatementIssuerOptions) {
    this.#options = options;
    this.#saving = composeSaving(options.db);
  }

  /** The authority's own Entity Configuration (§9). @throws StatementUnfit when its record cannot be published */
  async entityConfiguration(served: ServedAuthority): Promise<IssuedStatement> {
    const { authority } = served;
    const now = this.#options.clock.now();
    const stored = await this.#stored(authority.id, 'entity-configuration', authority.entityIdentifier);
    return this.#issue(signerOf(served), {
      kind: 'entity-configuration',
      subject: authority.entityIdentifier,
      claims: buildEntityConfiguration(served, now),
      lifetimeSeconds: authority.configurationLifetimeSeconds,
      notAfter: Number.POSITIVE_INFINITY,
      renewBy: firstTrustMarkExpiry(served, now),
      basisVersion: recordVersion(served) + trustMarksVersion(served),
      stored,
    });
  }

  /** The authority's historical keys document (§8.7). */
  async historicalKeys(served: ServedAuthority): Promise<IssuedStatement> {
    const { authority } = served;
    return this.#issue(signerOf(served), {
      kind: 'historical-keys',
      subject: authority.entityIdentifier,
      claims: buildHistoricalKeys(served),
      lifetimeSeconds: HISTORICAL_KEYS_LIFETIME_SECONDS,
      notAfter: Number.POSITIVE_INFINITY,
      basisVersion: recordVersion(served),
      stored: await this.#stored(authority.id, 'historical-keys', authority.entityIdentifier),
    });
  }

  /** The statement about a subordinate (§8.1); undefined unless it is active and has a key that still verifies. */
  async subordinateStatement(served: ServedAuthority, subject: string): Promise<IssuedStatement | undefined> {
    const { authority } = served;
    const subordinate = await readSubordinate(this.#options.db, authority.id, subject);
    const now = this.#options.clock.now();
    if (subordinate === undefined || liveKeys(subordinate, now).length === 0) return undefined;
    return this.#issue(signerOf(served), {
      kind: 'subordinate-statement',
      subject,
      claims: buildSubordinateStatement(authority, subordinate, now),
      lifetimeSeconds: subordinate.entity.statementLifetimeSeconds ?? authority.statementLifetimeSeconds,
      notAfter: truthEnds(subordinate, now),
      basisVersion: recordVersion(served) + subordinate.entity.version,
      stored: subordinate.stored,
    });
  }

  /** The Entity Configuration of a hosted entity (§9), signed with its own key. */
  hostedConfiguration(signer: StatementSigner, draft: StatementDraft): Promise<IssuedStatement> {
    return this.#issue(signer, draft);
  }

  async #stored(
    authorityId: string,
    kind: StoredStatement['kind'],
    subject: string,
  ): Promise<StoredStatement | undefined> {
    const [stored] = await this.#options.db
      .select()
      .from(issuedStatements)
      .where(
        and(
          eq(issuedStatements.authorityId, authorityId),
          eq(issuedStatements.kind, kind),
          eq(issuedStatements.subject, subject),
        ),
      );
    return stored;
  }

  #issue({ authorityId, key }: StatementSigner, draft: StatementDraft): Promise<IssuedStatement> {
    const claimsHash = claimsHashOf({ ...draft.claims, 'header/kid': key.kid, lifetime: draft.lifetimeSeconds });
    const now = this.#options.clock.now();
    const sign = draft.kind === 'historical-keys' ? signHistoricalKeys : signStatement;
    return reuseOrIssue({
      ...{ stored: draft.stored, claimsHash, now },
      sign: () => sign(draft, key, now, this.#options),
      save: (statement) => this.#save(authorityId, draft, claimsHash, statement, now),
    });
  }

  /**
   * Stores a statement unless another node stored one that is as new: then that one is served. An older view of the
   * records never replaces a newer one.
   */
  async #save(
    authorityId: string,
    draft: StatementDraft,
    claimsHash: string,
    statement: IssuedStatement,
    now: NumericDate,
  ): Promise<IssuedStatement | undefined> {
    const { kind, subject, basisVersion } = draft;
    const row = {
      claimsHash,
      basisVersion,
      jwt: statement.jwt,
      issuedAt: new Date(now * 1000),
      expiresAt: new Date(statement.expiresAt * 1000),
      refreshAt: new Date(statement.refreshAt * 1000),
    };
    const written = await this.#saving.execute({ authorityId, kind, subject, ...row });
    if (written.length > 0) return undefined;
    const winner = await this.#stored(authorityId, kind, subject);
    return winner?.claimsHash === claimsHash ? issuedFrom(winner) : undefined;
  }
}

/** Whose statement it is kept as, and the key that signs it. */
export interface StatementSigner {
  authorityId: string;
  key: SigningKey;
}

function signerOf(served: ServedAuthority): StatementSigner {
  return { authorityId: served.authority.id, key: signingKeyOf(served) };
}

/** Everything that goes into a statement, before it has times and a signature. */
export interface StatementDraft {
  kind: StoredStatement['kind'];
  subject: string;
  claims: JsonObject;
  lifetimeSeconds: number;
  /** The statement must not live longer, seconds since the epoch. */
  notAfter: NumericDate;
  /** When it says something that is over, seconds since the epoch: another takes its place by then. */
  renewBy?: NumericDate;
  basisVersion: number;
  stored: StoredStatement | undefined;
  /** Lints it, where more is asked of it than of any Entity Statement. */
  lint?: typeof lintEntityStatement;
}

/** Claims with times → lint → sign: all that a statement costs once its records are read. */
export async function signStatement(
  draft: Pick<StatementDraft, 'claims' | 'lifetimeSeconds' | 'notAfter' | 'renewBy' | 'lint'>,
  key: SigningKey,
  now: NumericDate,
  { signer, random, houseRules }: Pick<StatementIssuerOptions, 'signer' | 'random' | 'houseRules'>,
): Promise<IssuedStatement> {
  const expiresAt = Math.min(now + draft.lifetimeSeconds, draft.notAfter);
  const aged = refreshTime(now, expiresAt, random);
  const refreshAt = Math.min(aged, draft.renewBy ?? aged);
  const claims: JsonObject = { ...draft.claims, iat: now, exp: expiresAt };
  const linted = lintOwn(`a statement about ${claims['sub']}`, () =>
    (draft.lint ?? lintEntityStatement)(claims, houseRules),
  );
  return { jwt: await signer.sign(key, linted), expiresAt, refreshAt };
}

/** The states of a key in the order of its life. */
const KEY_STAGES: readonly AuthorityKey['state'][] = ['announced', 'active', 'retired', 'historical', 'revoked'];

/** Grows with every change of the authority's record and of its keys: none is ever removed, and none goes back. */
export function recordVersion({ authority, keys }: ServedAuthority): number {
  return keys.reduce((sum, { state }) => sum + 1 + KEY_STAGES.indexOf(state), authority.version);
}

/** The authority has no key to sign with: one was revoked and none could be made yet. */
export class NoSigningKey extends Error {
  override readonly name = 'NoSigningKey';
}

/** The key that an authority signs with. @throws NoSigningKey */
export function signingKeyOf({ authority, keys }: ServedAuthority): SigningKey {
  const key = keys.find(({ state }) => state === 'active');
  if (key === undefined) throw new NoSigningKey(`${authority.entityIdentifier} has no active key to sign with`);
  return inCustody(key, key.authorityId);
}

type HeldKey = Pick<
  AuthorityKey | HostedKey,
  'kid' | 'purpose' | 'alg' | 'custody' | 'sealedPrivateKey' | 'tokenObject'
>;

/** A key as its custody knows it. @param owner who it signs for, as when it was made */
export function inCustody(record: HeldKey, owner: string): SigningKey {
  const { kid, purpose, alg, custody, sealedPrivateKey, tokenObject } = record;
  const key = { kid, purpose, owner, alg: alg as Algorithm };
  if (custody === 'pkcs11' && tokenObject !== null) return { ...key, custody, sealedPrivateKey: null, tokenObject };
  if (sealedPrivateKey !== null) return { ...key, sealedPrivateKey };
  throw new Error(`the private half of ${kid} is not here`);
}

/** Composed once: that costs more than the rest of a write. An older row is replaced, one that is as new is not. */
function composeSaving(db: Db) {
  const stored = issuedStatements;
  const isOutdated = or(
    lt(stored.basisVersion, sql`excluded.basis_version`),
    and(eq(stored.basisVersion, sql`excluded.basis_version`), sql`${stored.claimsHash} <> excluded.claims_hash`),
    and(eq(stored.basisVersion, sql`excluded.basis_version`), lte(stored.refreshAt, sql`excluded.issued_at`)),
  );
  return db
    .insert(stored)
    .values({
      authorityId: sql.placeholder('authorityId'),
      kind: sql.placeholder('kind'),
      subject: sql.placeholder('subject'),
      claimsHash: sql.placeholder('claimsHash'),
      basisVersion: sql.placeholder('basisVersion'),
      jwt: sql.placeholder('jwt'),
      issuedAt: sql.placeholder('issuedAt'),
      expiresAt: sql.placeholder('expiresAt'),
      refreshAt: sql.placeholder('refreshAt'),
    })
    .onConflictDoUpdate({
      target: [stored.authorityId, stored.kind, stored.subject],
      set: {
        claimsHash: sql`excluded.claims_hash`,
        basisVersion: sql`excluded.basis_version`,
        jwt: sql`excluded.jwt`,
        issuedAt: sql`excluded.issued_at`,
        expiresAt: sql`excluded.expires_at`,
        refreshAt: sql`excluded.refresh_at`,
      },
      setWhere: isOutdated,
    })
    .returning({ subject: stored.subject })
    .prepare('save_statement');
}
