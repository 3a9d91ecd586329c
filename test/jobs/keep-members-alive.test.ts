import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepMembersAlive } from '../../src/jobs/keep-members-alive.ts';
import { sendMails } from '../../src/jobs/send-mails.ts';
import { createMailSender } from '../../src/outbound/mail-sender.ts';
import { updateApiResource } from '../../src/registry/api-resources/update-api-resource.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { USUAL_FLOW } from '../../src/registry/authorities/enrolment-flow.ts';
import { updateAuthority } from '../../src/registry/authorities/update-authority.ts';
import { readAuthorizationServer } from '../../src/registry/authorization-servers/read-authorization-server.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import { lapsedMembers, requireLapsed } from '../../src/registry/life-cycle/attestation/lapsed-members.ts';
import { claimMails } from '../../src/registry/life-cycle/outgoing-mails.ts';
import { acceptTerms } from '../../src/registry/organisations/accept-terms.ts';
import { addContact } from '../../src/registry/organisations/contacts/add-contact.ts';
import { confirmContact } from '../../src/registry/organisations/contacts/confirm-contact.ts';
import { removeContact } from '../../src/registry/organisations/contacts/remove-contact.ts';
import { updateContact } from '../../src/registry/organisations/contacts/update-contact.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { readOrganisation } from '../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../src/registry/organisations/update-organisation.ts';
import { pruneExpired } from '../../src/registry/prune-expired.ts';
import { directoryFindings } from '../../src/storage/schema/directory-findings.ts';
import type { EnrolmentFlowStep } from '../../src/storage/schema/enrolment-flow.ts';
import { organisations } from '../../src/storage/schema/organisations.ts';
import { outgoingMails } from '../../src/storage/schema/outgoing-mails.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { openMailSink, readMail } from '../support/mail-sink.ts';
import { apiResource } from '../support/offers.ts';
import { actor, NOW_DATE, openRegistry, outcome, refusedBy, type TestRegistry } from '../support/registry.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

const day = (count: number) => new Date(NOW_DATE.getTime() + count * 86_400_000);
const CONFIRMATION = { contactConfirmationDays: 90, lapseGraceDays: 14 };

describe.each(DATABASE_KINDS)('F08 contacts kept alive, on %s', (kind) => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await openRegistry(kind);
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const contextAt = (now: Date) => registry.context(actor(), { now });
  const upkeep = (now: Date) => keepMembersAlive({ changeContext: () => contextAt(now), onError: unexpected });
  /** Where a relay takes every mail. */
  const round = async (now: Date) => {
    await upkeep(now);
    const sender = { send: async () => undefined };
    await sendMails({ db: registry.db, now: () => now, sender, onFailure: unexpected });
  };
  const mails = () => registry.db.select().from(outgoingMails);
  const findings = async () =>
    (await registry.db.select().from(directoryFindings)).map(
      ({ kind: found, subjectName }) => `${found} ${subjectName}`,
    );
  const read = (id: string) => readOrganisation(registry.db, actor(), id);
  const member = async (settings: Parameters<TestRegistry['authority']>[0]) =>
    await registry.organisation(await registry.authority({ ...CONFIRMATION, ...settings }));

  it('F08 unconfirmed for longer than asked: a reminder, then contact_stale, then what the policy says', async () => {
    const organisation = await member({ onLapse: 'suspend' });
    const seq = await registry.seq();
    await round(day(89));
    expect(await mails()).toEqual([]);
    await round(day(90));
    await round(day(100));
    expect((await mails()).map(({ recipient, subject }) => [recipient, subject])).toEqual([
      ['ops@partner.example', 'Please confirm: incident contact of Partner Ltd'],
    ]);
    expect(await findings()).toEqual([]);
    await round(day(104));
    await round(day(105));
    expect(await findings()).toEqual(['contact_stale ops@partner.example']);
    expect((await read(organisation.id)).state).toBe('active');
    await round(day(118));
    expect(await read(organisation.id)).toMatchObject({ state: 'suspended', stateReasonCode: 'attestation_lapsed' });
    const actions = (await registry.auditAfter(seq)).map(({ action }) => action);
    expect(actions).toEqual(['contact.remind', 'contact.stale', 'organisation.suspend']);
  });

  it('F08 a contact that is late already when the rule comes gets its time all the same', async () => {
    await member({ onLapse: 'suspend' });
    await round(day(900));
    expect([(await mails()).length, await findings()]).toEqual([1, []]);
    await round(day(913));
    expect(await findings()).toEqual([]);
    await round(day(914));
    expect(await findings()).toEqual(['contact_stale ops@partner.example']);
  });

  it('F08 nobody is suspended for a reminder that never left: a finding says so, and the time runs once one has', async () => {
    const { id } = await member({ onLapse: 'suspend' });
    await upkeep(day(90));
    expect(await findings()).toEqual([]);
    for (const now of [day(91), day(104), day(118), day(200)]) {
      await upkeep(now);
      expect(await findings()).toEqual(['reminder_unsent ops@partner.example']);
    }
    expect((await read(id)).state).toBe('active');
    // Then there is a relay: what waited too long is written anew.
    await round(day(201));
    await pruneExpired(registry.db, day(208));
    await round(day(208));
    await upkeep(day(208));
    expect([(await mails()).map(({ sentAt }) => sentAt), await findings()]).toEqual([[day(208)], []]);
    await round(day(222));
    expect([await findings(), (await read(id)).state]).toEqual([['contact_stale ops@partner.example'], 'active']);
    await round(day(236));
    expect((await read(id)).state).toBe('suspended');
  });

  it('F08 a mail that was sent stays on record for 90 days, and longer while something rests on it', async () => {
    const { id, contacts } = await member({});
    await round(day(90));
    await pruneExpired(registry.db, day(400));
    await round(day(400));
    expect([(await mails()).length, await findings()]).toEqual([1, ['contact_stale ops@partner.example']]);
    await confirmContact(contextAt(day(400)), id, contacts[0]?.id ?? '', 'called');
    await pruneExpired(registry.db, day(400));
    expect(await mails()).toEqual([]);
  });

  it('F08 what is confirmed, accepted or certified before a suspension is not overlooked, and nothing else hinders it', async () => {
    const { id, contacts } = await member({ onLapse: 'suspend' });
    for (const now of [day(90), day(104)]) await round(now);
    const [lapsed] = await lapsedMembers(registry.db, day(118), 10);
    if (lapsed === undefined) throw new Error('nobody lapsed');
    const suspend = () =>
      transitionOrganisation(contextAt(day(118)), id, 'suspend', 'lapsed', undefined, (tx) =>
        requireLapsed(tx, lapsed, day(118)),
      );
    await updateOrganisation(contextAt(day(118)), id, { legalName: 'Renamed Ltd' });
    await confirmContact(contextAt(day(118)), id, contacts[0]?.id ?? '', 'called');
    expect([await outcome(suspend()), (await read(id)).state]).toEqual(['evidence_changed', 'active']);
    for (const now of [day(208), day(222)]) await round(now);
    await updateOrganisation(contextAt(day(236)), id, { legalName: 'Partner Ltd' });
    await round(day(236));
    expect((await read(id)).state).toBe('suspended');
  });

  it('F08 a confirmation ends it at once, and begins the time anew', async () => {
    const { id, contacts } = await member({});
    await round(day(90));
    await round(day(104));
    await confirmContact(contextAt(day(105)), id, contacts[0]?.id ?? '', 'called');
    expect(await findings()).toEqual([]);
    await round(day(194));
    expect(await mails()).toHaveLength(1);
    await round(day(195));
    expect([(await mails()).length, await findings()]).toEqual([2, []]);
  });

  it('F08 another address is reminded for itself', async () => {
    const { id, contacts } = await member({});
    await round(day(90));
    await round(day(104));
    await updateContact(contextAt(day(105)), id, contacts[0]?.id ?? '', { email: 'new@partner.example' });
    await round(day(106));
    expect([(await mails()).map(({ recipient }) => recipient), await findings()]).toEqual([
      ['ops@partner.example', 'new@partner.example'],
      [],
    ]);
  });

  it('F08 nobody is suspended who has another contact of the type, or under an authority that does not want it', async () => {
    const lenient = await member({ onLapse: 'none' });
    const strict = await member({ onLapse: 'suspend' });
    const spare = { type: 'incident', email: 'spare@partner.example' } as const;
    const { id: spareId } = await addContact(contextAt(NOW_DATE), strict.id, spare);
    await confirmContact(contextAt(day(80)), strict.id, spareId, 'called');
    for (const now of [day(90), day(104), day(118), day(150)]) await round(now);
    expect([(await read(lenient.id)).state, (await read(strict.id)).state]).toEqual(['active', 'active']);
    await round(day(170));
    await round(day(184));
    await round(day(198));
    expect([(await read(lenient.id)).state, (await read(strict.id)).state]).toEqual(['active', 'suspended']);
  });

  it('F08 asks nobody where the authority does not ask, and nobody who is not a member', async () => {
    await member({ contactConfirmationDays: null });
    const { id } = await member({});
    await transitionOrganisation(contextAt(NOW_DATE), id, 'withdraw', 'left');
    await round(day(4000));
    expect([await mails(), await findings()]).toEqual([[], []]);
  });

  it('F08 an active organisation cannot lose its last required contact', async () => {
    const { id, contacts } = await member({});
    const contactId = contacts[0]?.id ?? '';
    const removed = await refusedBy(removeContact(contextAt(NOW_DATE), id, contactId));
    const retyped = await refusedBy(updateContact(contextAt(NOW_DATE), id, contactId, { type: 'billing' }));
    expect([removed.code, retyped.code, removed.details]).toEqual([
      'contact_missing',
      'contact_missing',
      { missing: ['incident'] },
    ]);
  });

  describe('F08 certifications', () => {
    const certified = (to: Date) => ({ status: 'certified', uri: null, from: null, to }) as const;

    async function certifiedApi(authority: Authority) {
      const api = await apiResource(registry, authority, { certification: certified(day(60)) });
      const { entityId } = await readAuthorizationServer(registry.db, actor(), api.authorizationServerId);
      const { organisationId } = await readEntity(registry.db, actor(), entityId);
      await addContact(contextAt(day(59)), organisationId, { type: 'technical', email: 'tech@partner.example' });
      return { api, entityId };
    }

    it('F08 are reminded of before they end, a finding when they have, and then acted on', async () => {
      const authority = await registry.authority({ ...CONFIRMATION, onLapse: 'suspend' });
      const { api, entityId } = await certifiedApi(authority);
      await round(day(45));
      expect(await mails()).toEqual([]);
      await round(day(46));
      await round(day(47));
      expect((await mails()).map(({ recipient, subject }) => [recipient, subject])).toEqual([
        ['tech@partner.example', expect.stringMatching(/^Certification of payments 1\.0\.0 .* ends on 2027-03-16$/)],
      ]);
      await round(day(60));
      expect(await findings()).toEqual([expect.stringMatching(/^certification_lapsed payments 1\.0\.0/)]);
      await round(day(73));
      expect((await readEntity(registry.db, actor(), entityId)).state).toBe('active');
      await round(day(74));
      expect((await readEntity(registry.db, actor(), entityId)).stateReasonCode).toBe('attestation_lapsed');
      await updateApiResource(contextAt(day(75)), api.id, { certification: certified(day(400)) });
      expect(await findings()).toEqual([]);
    });
  });

  it('F08 terms of which another version counts are asked for again, then a finding, then acted on', async () => {
    const terms = (version: string): EnrolmentFlowStep[] => [
      { step: 'terms', version, uri: 'https://federation.example/terms' },
      ...USUAL_FLOW,
    ];
    const authority = await registry.authority({ ...CONFIRMATION, onLapse: 'suspend', enrolmentFlow: terms('1') });
    const { id } = await registry.organisation(authority);
    await addContact(contextAt(day(0)), id, { type: 'business', email: 'boss@partner.example' });
    await round(day(1));
    expect([await mails(), await findings()]).toEqual([[], []]);
    await acceptTerms(contextAt(day(1)), id, { version: '1', acceptedBy: 'Jo Doe, CEO' });
    await updateAuthority(contextAt(day(2)), authority.id, { enrolmentFlow: terms('2') });
    await upkeep(day(3));
    await upkeep(day(4));
    expect(await findings()).toEqual(['reminder_unsent boss@partner.example']);
    await round(day(4));
    expect((await mails()).map(({ recipient, subject }) => [recipient, subject])).toEqual([
      ['boss@partner.example', 'Please accept the terms of Test Federation, version 2'],
    ]);
    await round(day(18));
    expect(await findings()).toEqual(['terms_lapsed Partner Ltd']);
    await round(day(31));
    expect((await read(id)).state).toBe('active');
    await round(day(32));
    expect(await read(id)).toMatchObject({
      state: 'suspended',
      stateReason: 'the present terms were not accepted in time',
    });
    await acceptTerms(contextAt(day(33)), id, { version: '2', acceptedBy: 'Jo Doe, CEO' });
    expect(await findings()).toEqual([]);
  });

  it('F08 a reminder of terms whose version begins alike is none of these', async () => {
    const terms = (version: string): EnrolmentFlowStep[] => [
      { step: 'terms', version, uri: 'https://federation.example/terms' },
      ...USUAL_FLOW,
    ];
    const authority = await registry.authority({ ...CONFIRMATION, enrolmentFlow: terms('1') });
    const { id } = await registry.organisation(authority);
    await addContact(contextAt(day(0)), id, { type: 'business', email: 'boss@partner.example' });
    await acceptTerms(contextAt(day(1)), id, { version: '1', acceptedBy: 'Jo Doe, CEO' });
    await updateAuthority(contextAt(day(2)), authority.id, { enrolmentFlow: terms('2:draft') });
    await round(day(2));
    await updateAuthority(contextAt(day(20)), authority.id, { enrolmentFlow: terms('2') });
    await round(day(20));
    expect([(await mails()).length, await findings()]).toEqual([2, []]);
  });

  describe('F08 the outbox', () => {
    it('F08 sends each mail once, whichever of two nodes does, and keeps no text of it', async () => {
      const authority = await registry.authority(CONFIRMATION);
      for (let index = 0; index < 12; index++) await registry.organisation(authority);
      await Promise.all([upkeep(day(90)), upkeep(day(90))]);
      await using sink = await openMailSink();
      const send = async () => {
        const options = { url: sink.url, from: 'directory@federation.example', extraCas: [TEST_TLS_CERTIFICATE] };
        await using sender = createMailSender(options);
        await sendMails({ db: registry.db, now: () => day(90), sender, onFailure: unexpected });
      };
      await Promise.all([send(), send()]);
      await send();
      expect(sink.received).toHaveLength(12);
      const ids = new Set(sink.received.map((mail) => readMail(mail).headers['message-id']));
      expect(ids.size).toBe(12);
      expect(new Set((await mails()).map(({ sentAt, body }) => `${sentAt?.toISOString()} ${body}`)).size).toBe(1);
    });

    it('F08 loses nothing while the relay is away, and gives up in the end', async () => {
      await member({});
      await upkeep(day(90));
      let attempts = 0;
      const sender = {
        send: async () => {
          attempts++;
          throw new Error('away');
        },
      };
      const failures: unknown[] = [];
      const hour = (count: number) => new Date(day(90).getTime() + count * 3_600_000);
      for (let hours = 0; hours <= 24 * 8; hours += 1) {
        await sendMails({
          db: registry.db,
          now: () => hour(hours),
          sender,
          onFailure: (error) => failures.push(error),
        });
        if (hours === 24) expect((await mails())[0]).toMatchObject({ sentAt: null, failedAt: null, failure: 'away' });
      }
      expect((await mails())[0]).toMatchObject({ sentAt: null, failure: 'away', failedAt: expect.any(Date) });
      expect(attempts).toBeGreaterThan(20);
      expect(attempts).toBeLessThan(60);
      expect(failures).toHaveLength(attempts);
    });

    it('F08 sends nothing that waited for a relay so long that it is outdated', async () => {
      await member({});
      await upkeep(day(90));
      const sent: string[] = [];
      const send = async ({ id }: { id: string }) => void sent.push(id);
      await sendMails({ db: registry.db, now: () => day(98), sender: { send }, onFailure: unexpected });
      expect(sent).toEqual([]);
      expect((await mails())[0]).toMatchObject({ sentAt: null, failedAt: day(98), body: '' });
    });

    it('F08 a mail whose sender died is sent by another, after the lease', async () => {
      await member({});
      await upkeep(day(90));
      expect(await claimMails(registry.db, day(90), 10)).toHaveLength(1);
      const sent: string[] = [];
      const send = async ({ id }: { id: string }) => void sent.push(id);
      await sendMails({ db: registry.db, now: () => day(90), sender: { send }, onFailure: unexpected });
      expect(sent).toEqual([]);
      await sendMails({ db: registry.db, now: () => day(91), sender: { send }, onFailure: unexpected });
      expect(sent).toHaveLength(1);
    });

    it('F08 names that others chose are text, on one line', async () => {
      const organisation = await member({});
      await renamed(organisation, 'Evil\r\nBcc: victim@example.org');
      await upkeep(day(90));
      const [mail] = await mails();
      expect(mail?.subject).toBe('Please confirm: incident contact of Evil Bcc: victim@example.org');
      expect(mail?.body).toContain('of Evil Bcc: victim@example.org in ');
    });

    /** As no verb would: a row from before texts were checked. */
    async function renamed({ id }: Organisation, legalName: string): Promise<void> {
      await registry.db.update(organisations).set({ legalName }).where(eq(organisations.id, id));
    }
  });
});

function unexpected(error: unknown): void {
  throw error;
}
