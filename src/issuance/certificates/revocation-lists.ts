/** Lists of revocations: made where something else is to be said, or the last one grows old; numbered, signed, stored. */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock, NumericDate } from '../../federation/time.ts';
import { lintRevocationList } from '../../pki/revocation-list/lint-revocation-list.ts';
import { parseRevocationList } from '../../pki/revocation-list/parse-revocation-list.ts';
import { writeTbsRevocationList } from '../../pki/revocation-list/write-revocation-list.ts';
import { nextStatusChange, readRevokedCertificates } from '../../registry/certification/certificate-status.ts';
import type {
  CertificationAlgorithm,
  CertifiedAuthorityRow,
} from '../../registry/certification/certification-authority.ts';
import {
  readCertifiedAuthorities,
  readCertifiedAuthority,
} from '../../registry/certification/read-certification-authority.ts';
import {
  affectedCertificationAuthorities,
  confirmList,
  type RevocationListHead,
  type RevocationListRow,
  readListBytes,
  readNewestList,
  storeList,
} from '../../registry/certification/revocation-list-records.ts';
import type { Signer } from '../../signer/signer.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { issuerOf, signingKeyOf } from './certificate-issuer.ts';
import { startEntriesThread } from './entries-thread.ts';
import { type WrittenEntries, writtenEntries } from './entries-worker.ts';

export interface RevocationListsOptions {
  db: Db;
  /** Where the change feed reads: it waits for no request. */
  feedDb: Db;
  signer: Pick<Signer, 'signDer'>;
  clock: Clock;
  /** What this node is known to hold of the registry. */
  state: () => { readonly seq: number };
  /** Entries read at a time; where there are no more, they are written here, without a thread. */
  pageSize?: number;
}

/** A list that may be handed out: its number is on record. */
export interface PublishedList {
  der: Uint8Array;
  number: number;
  /** Whole seconds since the epoch. */
  thisUpdate: NumericDate;
  nextUpdate: NumericDate;
  /** When the clock makes another one of it, its age or a certificate whose time has come; see PublishedList.nextUpdate. */
  staleAt: NumericDate;
  /** It holds every change up to this one. */
  seq: number;
}

/** A list that is being made, by what was known when it was begun. */
interface Making {
  seq: number;
  list: Promise<PublishedList | undefined>;
}

interface Draft extends WrittenEntries {
  changesAt: Date | null;
}

const PAGE_SIZE = 2_000;
/** Before two thirds of its life another one is made, so that no outage shorter than the rest lets one end. */
const FRESH_PART = 2 / 3;
/** Clocks of others may be behind ours: a list that begins tomorrow lets nobody in. */
const BACKDATED_SECONDS = 60;

const HASHES: Readonly<Record<CertificationAlgorithm, string>> = { ES256: 'sha256', ES384: 'sha384', RS256: 'sha256' };
const verifyBeside = promisify(
  (
    hash: string,
    data: Uint8Array,
    key: KeyObject,
    signature: Uint8Array,
    done: (error: Error | null, isValid: boolean) => void,
  ) => verify(hash, data, key, signature, done),
);

export class RevocationLists {
  readonly #options: RevocationListsOptions;
  readonly #newest = new Map<string, PublishedList>();
  readonly #makings = new Map<string, Making>();
  /** The last change that concerned each; those that are not named did not change since `#since`. */
  readonly #changedAt = new Map<string, number>();
  #since: number | undefined;

  constructor(options: RevocationListsOptions) {
    this.#options = options;
  }

  /**
   * The list that says all that is known; made anew where there is none. Any number who ask at a time wait for one.
   * @returns undefined when there is no such certification authority, or it has no certificate yet
   * @throws CustodyUnavailable
   */
  async current(certificationAuthorityId: string): Promise<PublishedList | undefined> {
    const needed = this.#neededSeq(certificationAuthorityId);
    const newest = this.#newest.get(certificationAuthorityId);
    if (newest !== undefined && newest.seq >= needed && this.#isFresh(newest)) return newest;
    const running = this.#makings.get(certificationAuthorityId);
    if (running !== undefined && running.seq >= needed) return await running.list;
    const making: Making = { seq: this.#options.state().seq, list: this.#bringUp(certificationAuthorityId, needed) };
    this.#makings.set(certificationAuthorityId, making);
    try {
      return await making.list;
    } finally {
      if (this.#makings.get(certificationAuthorityId) === making) this.#makings.delete(certificationAuthorityId);
    }
  }

  /** Brings all of them up to date, so that each is there before anybody asks; one that cannot be does not hold up others. */
  async publish(signal?: AbortSignal): Promise<void> {
    const failures: unknown[] = [];
    for (const { id } of await readCertifiedAuthorities(this.#options.db)) {
      if (signal?.aborted) return;
      await this.current(id).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} lists of revocations cannot be made`);
  }

  /** Notes whose lists the changes made untrue, before their seq is served. */
  async follow(changes: readonly RegistryChange[]): Promise<void> {
    const [first, last] = [changes.at(0), changes.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#since ??= first.seq - 1;
    for (const id of await affectedCertificationAuthorities(this.#options.feedDb, changes)) {
      this.#changedAt.set(id, last.seq);
    }
  }

  #neededSeq(id: string): number {
    this.#since ??= this.#options.state().seq;
    return this.#changedAt.get(id) ?? this.#since;
  }

  #isFresh({ thisUpdate, staleAt }: Pick<PublishedList, 'thisUpdate' | 'staleAt'>): boolean {
    const now = this.#options.clock.now();
    // A clock that was set back leaves a list that is not valid yet.
    return thisUpdate <= now && now < staleAt;
  }

  async #bringUp(id: string, needed: number): Promise<PublishedList | undefined> {
    const { db } = this.#options;
    for (;;) {
      const authority = await readCertifiedAuthority(db, id);
      if (authority === undefined) return undefined;
      const head = await readNewestList(db, id);
      const published = head === undefined || head.seq < needed ? undefined : await this.#publishedOf(head);
      const brought = published ?? (await this.#makeAnew(authority, head));
      if (brought === undefined) continue;
      this.#keep(id, brought);
      return brought;
    }
  }

  /** One that was begun earlier may be ready later. */
  #keep(id: string, list: PublishedList): void {
    const newest = this.#newest.get(id);
    const isNewer = newest === undefined || list.number > newest.number || list.seq > newest.seq;
    if (isNewer) this.#newest.set(id, list);
  }

  /** @returns undefined unless it is fresh and still there */
  async #publishedOf(head: RevocationListHead): Promise<PublishedList | undefined> {
    const times = timesOf(head);
    if (!this.#isFresh(times)) return undefined;
    const known = this.#newest.get(head.certificationAuthorityId);
    const der = known?.number === head.number ? known.der : await readListBytes(this.#options.db, head);
    return der === undefined ? undefined : { der, number: head.number, seq: head.seq, ...times };
  }

  /** @returns undefined when another node was faster: look again */
  async #makeAnew(
    authority: CertifiedAuthorityRow,
    before: RevocationListHead | undefined,
  ): Promise<PublishedList | undefined> {
    const { db, clock, state } = this.#options;
    // Taken before anything is read: the list may hold what is newer, never less.
    const { seq } = state();
    const now = Math.floor(clock.now());
    const draft = await this.#draft(authority, now);
    const digest = digestOf(authority, draft);
    const { changesAt } = draft;
    if (before?.digest === digest && this.#isFresh(timesOf({ ...before, changesAt }))) {
      const confirmed = { ...before, changesAt, seq: Math.max(seq, before.seq) };
      return (await confirmList(db, before, confirmed)) ? await this.#publishedOf(confirmed) : undefined;
    }
    const row = await this.#signed(authority, draft, { now, seq, digest });
    if (!(await storeList(db, row, authority.revocationListNumber))) return undefined;
    return { der: row.der, number: row.number, seq, ...timesOf(row) };
  }

  async #draft(authority: CertifiedAuthorityRow, now: NumericDate): Promise<Draft> {
    const { db, pageSize: limit = PAGE_SIZE } = this.#options;
    const { id, revocationListLifetimeSeconds: lifetime } = authority;
    const at = new Date(now * 1000);
    // One that ended is on a list that began after its end, and then on none (RFC 5280 §3.3).
    const endedSince = new Date((now - lifetime) * 1000);
    const changesAt = await nextStatusChange(db, id, at);
    let page = await readRevokedCertificates(db, id, at, { limit, endedSince });
    if (page.next === undefined) return { ...writtenEntries(page.revoked), changesAt };
    await using thread = startEntriesThread();
    thread.add(page.revoked);
    while (page.next !== undefined) {
      page = await readRevokedCertificates(db, id, at, { limit, endedSince, after: page.next });
      thread.add(page.revoked);
    }
    return { ...(await thread.finish()), changesAt };
  }

  async #signed(
    authority: CertifiedAuthorityRow,
    { entries, count, changesAt }: Draft,
    { now, seq, digest }: { now: NumericDate; seq: number; digest: string },
  ): Promise<RevocationListRow> {
    const { id, name, alg, revocationListNumber: numberBefore, revocationListLifetimeSeconds: lifetime } = authority;
    const issuer = issuerOf(authority);
    // The time of day, so that a registry that was restored begins above all that it ever gave out.
    const number = Math.max(numberBefore + 1, now);
    const thisUpdate = now - BACKDATED_SECONDS;
    const nextUpdate = thisUpdate + lifetime;
    const tbs = writeTbsRevocationList({
      ...{ alg, issuer: issuer.name, authorityKeyIdentifier: issuer.keyIdentifier },
      ...{ number, thisUpdate, nextUpdate, entries },
    });
    const expected = { alg, issuer: issuer.certificate, numberBefore, lifetimeSeconds: lifetime, entries: count };
    const linted = lintRevocationList(tbs, expected);
    const der = await this.#options.signer.signDer(signingKeyOf(authority), linted);
    const { toBeSigned, signature } = parseRevocationList(der);
    // A key that was mixed up, or a token that errs, is found out before anybody has the list.
    if (!(await verifyBeside(HASHES[alg], toBeSigned, issuer.publicKey, signature))) {
      throw new Error(`the signature of ${name} does not verify with its own certificate`);
    }
    const times = { thisUpdate: new Date(thisUpdate * 1000), nextUpdate: new Date(nextUpdate * 1000), changesAt };
    return { certificationAuthorityId: id, number, ...times, seq, entries: count, digest, der };
  }
}

/** Of all that a list says, its number and its times aside: how long it lives is among it. */
function digestOf(authority: CertifiedAuthorityRow, { digest }: WrittenEntries): string {
  const { kid, x5tS256, alg, revocationListLifetimeSeconds } = authority;
  const said = [kid, x5tS256, alg, revocationListLifetimeSeconds, digest];
  return createHash('sha256').update(said.join(' ')).digest('base64url');
}

function timesOf({
  thisUpdate,
  nextUpdate,
  changesAt,
}: Pick<RevocationListHead, 'thisUpdate' | 'nextUpdate' | 'changesAt'>): Pick<
  PublishedList,
  'thisUpdate' | 'nextUpdate' | 'staleAt'
> {
  const [begin, end] = [secondsOf(thisUpdate), secondsOf(nextUpdate)];
  const oldAt = begin + (end - begin) * FRESH_PART;
  const staleAt = changesAt === null ? oldAt : Math.min(oldAt, secondsOf(changesAt));
  return { thisUpdate: begin, nextUpdate: end, staleAt };
}

function secondsOf(date: Date): NumericDate {
  return date.getTime() / 1000;
}
