import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { remindOfExpiry } from '../../../src/registry/credentials/remind-of-expiry.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import { outgoingMails } from '../../../src/storage/schema/outgoing-mails.ts';
import { certificate, ecKey, pem } from '../../support/certificates.ts';
import { clientCertificate } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, type TestRegistry } from '../../support/registry.ts';

const DAY_MS = 86_400_000;

/** The end of a certificate as UTCTime. */
const utc = (date: Date) => `${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;

describe.each(DATABASE_KINDS)('[F29] certificates that end soon, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeEach(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const end = new Date(NOW_DATE.getTime() + 100 * DAY_MS);
  /** So many days before the end. */
  const daysLeft = (days: number) => registry.context(actor(), { now: new Date(end.getTime() - days * DAY_MS) });
  const told = async (after: number) =>
    (await registry.auditAfter(after))
      .filter(({ action }) => action === 'credential.remind')
      .map((row) => (row.after as { days: number }).days);

  /** Of an active application, valid for so many days up to the end. */
  async function ending(validDays = 100): Promise<{ id: string; seq: number }> {
    const { id } = await registry.entity(await registry.organisation(authority));
    const notBefore = utc(new Date(end.getTime() - validDays * DAY_MS));
    const material = { certificate: pem(certificate({ key: ecKey(), notBefore, notAfter: utc(end) })) };
    const added = await addCredential(registry.context(), id, { usage: 'transport', material });
    return { id: added.id, seq: await registry.seq() };
  }

  it('are told of at 30, 14, 7 and 1 days, once each, also by a service that was restarted in between', async () => {
    const { seq } = await ending();
    expect(await remindOfExpiry(daysLeft(30.1))).toBe(0);
    for (const days of [30, 29, 14, 13, 7, 6, 1, 0.5]) {
      await remindOfExpiry(daysLeft(days));
      await remindOfExpiry(daysLeft(days));
    }
    expect(await told(seq)).toEqual([30, 14, 7, 1]);
    const mails = await registry.db.select().from(outgoingMails);
    expect(mails.map(({ recipient }) => recipient)).toEqual(Array(4).fill('ops@partner.example'));
    expect(mails[0]?.body).toContain('Nothing takes its place yet.');
  });

  it('are told of by one of two nodes', async () => {
    const { seq } = await ending();
    const counts = await Promise.all([remindOfExpiry(daysLeft(7)), remindOfExpiry(daysLeft(7))]);
    expect(counts.toSorted()).toEqual([0, 1]);
    expect(await told(seq)).toEqual([7]);
  });

  it('are told of with the nearest number of days alone by a service that was away', async () => {
    const { seq } = await ending();
    await remindOfExpiry(daysLeft(5));
    expect(await told(seq)).toEqual([7]);
    await remindOfExpiry(daysLeft(1));
    expect(await told(seq)).toEqual([7, 1]);
  });

  it('are not told of a number of days that they never had', async () => {
    const { seq } = await ending(10);
    await remindOfExpiry(daysLeft(9.9));
    expect(await told(seq)).toEqual([]);
    await remindOfExpiry(daysLeft(7));
    expect(await told(seq)).toEqual([7]);
  });

  it('are not told of once something takes their place, or they are revoked, or nobody uses them any more', async () => {
    const replaced = await ending();
    await replaceCredential(registry.context(), replaced.id, {
      material: clientCertificate(),
      until: new Date(NOW_DATE.getTime() + 80 * DAY_MS),
    });
    const revoked = await ending();
    await revokeCredential(registry.context(), revoked.id, { reasonCode: 'superseded', reason: 'a test' });
    expect(await remindOfExpiry(daysLeft(7))).toBe(0);
    await ending();
    expect(await remindOfExpiry(daysLeft(-1))).toBe(0);
  });
});
