/** How lists of revocations are made: in a thread where they are long, stored whole or not at all, the newest knowledge last. */
import { randomBytes } from 'node:crypto';
import { eq, gt } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RevocationLists, type RevocationListsOptions } from '../../../src/issuance/certificates/revocation-lists.ts';
import { parseRevocationList } from '../../../src/pki/revocation-list/parse-revocation-list.ts';
import type { CertificationAuthority } from '../../../src/registry/certification/certification-authority.ts';
import { confirmList, readNewestList, storeList } from '../../../src/registry/certification/revocation-list-records.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { CustodyUnavailable } from '../../../src/signer/custody/key-custody.ts';
import {
  certificateRevocationLists,
  certificationAuthorities,
} from '../../../src/storage/schema/certification-authorities.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { certificationAuthority } from '../../support/certification.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { ManualClock } from '../../support/federation.ts';
import { NOW_DATE, nextId, openOrganisation, type TestRegistry, testSigner } from '../../support/registry.ts';

const REVOKED = { state: 'revoked', revocationReason: 'key_compromise', revokedAt: NOW_DATE } as const;
const DAY = 86_400_000;

describe.each(DATABASE_KINDS)('[F23] lists of revocations on %s', (kind) => {
  let registry: TestRegistry;
  let entity: Entity;
  let issuer: CertificationAuthority;
  let seq: number;
  let clock: ManualClock;
  beforeAll(async () => {
    const opened = await openOrganisation(kind);
    registry = opened.registry;
    entity = await registry.entity(opened.organisation);
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(async () => {
    issuer = await certificationAuthority(registry, { id: entity.authorityId } as never);
    seq = await registry.seq();
    clock = new ManualClock();
  });

  const listsOf = (changes: Partial<RevocationListsOptions> = {}) =>
    new RevocationLists({
      ...{ db: registry.db, feedDb: registry.db, signer: testSigner, clock },
      state: () => ({ seq }),
      ...changes,
    });
  const current = async (lists: RevocationLists) => {
    const list = await lists.current(issuer.id);
    if (list === undefined) throw new Error('there is no list');
    return { ...list, ...parseRevocationList(list.der), number: list.number };
  };
  const storedNumber = async () => (await readNewestList(registry.db, issuer.id))?.number;
  const countedNumber = async () => {
    const [row] = await registry.db
      .select({ number: certificationAuthorities.revocationListNumber })
      .from(certificationAuthorities)
      .where(eq(certificationAuthorities.id, issuer.id));
    return row?.number;
  };

  /** As the registry has them, without what is said of their issuing. @returns serial numbers */
  async function issued(count: number): Promise<string[]> {
    const rows = Array.from({ length: count }, () => {
      const [id, serial] = [
        nextId(),
        randomBytes(16)
          .toString('hex')
          .replace(/^[89a-f]/, '7')
          .replace(/^0+/, ''),
      ];
      const key = { kid: id, publicJwk: { kty: 'EC' }, spkiSha256: id };
      return {
        ...{
          id,
          authorityId: entity.authorityId,
          entityId: entity.id,
          certificationAuthorityId: issuer.id,
          serial,
          ...key,
        },
        ...({ kind: 'x509', usage: 'transport', source: 'issued', possession: 'proven' } as const),
        ...{ environment: 'production', x5tS256: id, x5c: [''], subject: 'CN=a', issuer: 'CN=b' },
        ...{ notBefore: NOW_DATE, notAfter: new Date(NOW_DATE.getTime() + 100 * DAY) },
        ...{ ...REVOKED, stateChangedAt: NOW_DATE, version: 1, createdAt: NOW_DATE },
      };
    });
    if (rows.length > 0) await registry.db.insert(credentials).values(rows);
    return rows.map(({ serial }) => serial);
  }
  /** Another change of the registry, of which the lists hear. */
  async function changed(...lists: RevocationLists[]): Promise<void> {
    seq++;
    const change = { seq, ordinal: 0, action: 'certification_authority.update', authorityId: entity.authorityId };
    for (const list of lists) {
      await list.follow([{ ...change, subjectKind: 'certification_authority', subjectId: issuer.id }]);
    }
  }

  it.each([0, 1, 5, 6, 7, 30])(
    'of %i entries have all of them, whether a page holds them or a thread writes them',
    async (count) => {
      const serials = await issued(count);
      const list = await current(listsOf({ pageSize: 6 }));
      expect([...list.entries()].map(({ serial }) => serial).toSorted()).toEqual(serials.toSorted());
      expect([...list.entries()].every(({ reason }) => reason === 1)).toBe(true);
    },
  );

  it('say the same in the same bytes, in a thread and without', async () => {
    await issued(25);
    const inThread = await current(listsOf({ pageSize: 4 }));
    clock.advance(70_000);
    const here = await current(listsOf({ pageSize: 100 }));
    expect(here.number).toBeGreaterThan(inThread.number);
    expect([...here.entries()]).toEqual([...inThread.entries()]);
  });

  it('take no number and store nothing while the key cannot sign, and go on where they were', async () => {
    const before = await current(listsOf());
    const [serial] = await issued(1);
    const unplugged = new CustodyUnavailable('the token is unplugged by a test');
    const broken = listsOf({ signer: { signDer: () => Promise.reject(unplugged) } });
    await changed(broken);
    await expect(broken.current(issuer.id)).rejects.toBe(unplugged);
    expect([await storedNumber(), await countedNumber()]).toEqual([before.number, before.number]);
    const lists = listsOf();
    await changed(lists);
    const after = await current(lists);
    expect(after.number).toBeGreaterThan(before.number);
    expect([...after.entries()].map((entry) => entry.serial)).toEqual([serial]);
  });

  it('are not stored with a signature that does not verify', async () => {
    const wrong = listsOf({
      signer: {
        signDer: async (key, linted) => {
          const der = Uint8Array.from(await testSigner.signDer(key, linted));
          der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
          return der;
        },
      },
    });
    await expect(wrong.current(issuer.id)).rejects.toThrow('does not verify');
    expect([await storedNumber(), await countedNumber()]).toEqual([undefined, 0]);
  });

  it('do not follow one that knew more', async () => {
    const lists = listsOf();
    const { number } = await current(lists);
    const newest = await readNewestList(registry.db, issuer.id);
    if (newest === undefined) throw new Error('there is no list');
    expect(await confirmList(registry.db, newest, { seq: seq + 5, changesAt: null })).toBe(true);
    const late = { ...newest, number: number + 1, seq: seq + 4, der: new Uint8Array(1) };
    expect(await storeList(registry.db, late, number)).toBe(false);
    expect([await storedNumber(), await countedNumber()]).toEqual([number, number]);
    // The same number is not given twice, whoever asks.
    expect(await storeList(registry.db, { ...late, number, seq: seq + 9 }, number - 1)).toBe(false);
    expect(await storeList(registry.db, { ...late, seq: seq + 9 }, number)).toBe(true);
    expect(await storeList(registry.db, { ...late, seq: seq + 9 }, number)).toBe(false);
    expect(await confirmList(registry.db, newest, { seq: seq + 20, changesAt: null })).toBe(false);
    expect([await storedNumber(), await countedNumber()]).toEqual([number + 1, number + 1]);
  });

  it('are confirmed, not made anew, by a change that says nothing else', async () => {
    await issued(3);
    const lists = listsOf({ pageSize: 2 });
    const before = await current(lists);
    await changed(lists);
    const after = await current(lists);
    expect([after.number, after.seq]).toEqual([before.number, seq]);
    expect(after.der).toBe(before.der);
    const rows = await registry.db
      .select({ seq: certificateRevocationLists.seq })
      .from(certificateRevocationLists)
      .where(eq(certificateRevocationLists.certificationAuthorityId, issuer.id));
    expect(rows).toEqual([{ seq }]);
  });

  it('are made once more where the clock was set back behind them', async () => {
    clock.advance(100_000);
    const ahead = await current(listsOf());
    clock.advance(-100_000);
    const back = await current(listsOf());
    expect(back.number).toBe(ahead.number + 1);
    expect(back.thisUpdate).toBeLessThanOrEqual(clock.now());
  });

  it('have numbers above all that were ever given out, also where an older copy of the registry was restored', async () => {
    const kept = await current(listsOf());
    const lost: number[] = [];
    for (let count = 0; count < 3; count++) {
      clock.advance(70_000);
      lost.push((await current(listsOf())).number);
    }
    const { number: revocationListNumber } = kept;
    await registry.db.delete(certificateRevocationLists).where(gt(certificateRevocationLists.number, kept.number));
    await registry.db.update(certificationAuthorities).set({ revocationListNumber });
    clock.advance(60);
    expect((await current(listsOf())).number).toBeGreaterThan(Math.max(...lost));
  });

  it('are kept as the newest three', async () => {
    for (let count = 0; count < 5; count++) {
      clock.advance(70_000);
      await current(listsOf());
    }
    const rows = await registry.db
      .select({ number: certificateRevocationLists.number })
      .from(certificateRevocationLists)
      .where(eq(certificateRevocationLists.certificationAuthorityId, issuer.id));
    expect([rows.length, Math.max(...rows.map(({ number }) => number))]).toEqual([3, await countedNumber()]);
  });

  it('are one, where a node asks while another makes it', async () => {
    await issued(8);
    const nodes = [listsOf({ pageSize: 3 }), listsOf({ pageSize: 3 }), listsOf()];
    const made = await Promise.all(nodes.map((node) => current(node)));
    const stored = await storedNumber();
    for (const { number, entryCount } of made) expect([number <= (stored ?? 0), entryCount]).toEqual([true, 8]);
    expect(new Set(made.map(({ number, der }) => `${number} ${Buffer.from(der).toString('hex')}`)).size).toBe(
      new Set(made.map(({ number }) => number)).size,
    );
  });
});
