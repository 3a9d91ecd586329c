import { afterAll, describe, expect, it } from 'vitest';
import { takeFindings } from '../../../../src/registry/life-cycle/directory-findings.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;
const authority = await service.authority();

async function member() {
  const organisation = await service.organisation(authority);
  const entity = await service.entity(organisation);
  return { organisation, entity, where: `/api/v1/organisations/${organisation.id}` };
}

const inAnHour = () => new Date(service.clock.now() * 1000 + 3_600_000).toISOString();

describe('F05 over the API', () => {
  it('F05 suspends with code, note and end, and lists what is affected under its seq', async () => {
    const { entity, where } = await member();
    const until = inAnHour();
    const decision = { reason: 'a laptop was stolen', reasonCode: 'security_incident', until };
    const { status, body } = await api.approver.post(`${where}/suspend`, decision);
    expect([status, body.seq]).toEqual([200, await service.seq()]);
    expect(body).toMatchObject({ state: 'suspended', stateReasonCode: 'security_incident', suspendedUntil: until });
    expect(body.affected).toEqual([
      {
        kind: 'entity',
        id: entity.id,
        name: entity.entityIdentifier,
        stateBefore: 'active',
        stateAfter: 'suspended',
      },
    ]);
  });

  it('F05 shows the same without doing it', async () => {
    const { where } = await member();
    const seq = await service.seq();
    const tried = await api.approver.post(`${where}/revoke`, { reason: 'x', dryRun: true });
    expect([tried.status, tried.body.seq, tried.body.state, await service.seq()]).toEqual([200, null, 'active', seq]);
    const done = await api.approver.post(`${where}/revoke`, { reason: 'x' });
    expect(done.body.affected).toEqual(tried.body.affected);
  });

  it('F05 refuses an illegal transition, saying from what to what and what is allowed', async () => {
    const { where } = await member();
    const answer = await api.approver.post(`${where}/reinstate`, { reason: 'x' });
    expect(refusalOf(answer)).toBe('409 illegal_transition');
    const allowed = ['suspend', 'withdraw', 'revoke'];
    expect(answer.body).toMatchObject({ from: 'active', to: 'active', allowed });
  });

  it.each([
    ['an unknown code', { reasonCode: 'because' }, '/reasonCode'],
    ['a code of another transition', { reasonCode: 'resolved' }, '/reasonCode'],
    ['an end in the past', { until: '2001-01-01T00:00:00.000Z' }, '/until'],
    ['an end that is no moment', { until: 'tomorrow' }, '/until'],
    ['an unknown member', { untill: '2001-01-01T00:00:00.000Z' }, '/untill'],
    ['a dry run that is no truth value', { dryRun: 'yes' }, '/dryRun'],
  ])('F05 refuses %s', async (_what, members, pointer) => {
    const { where } = await member();
    const answer = await api.approver.post(`${where}/suspend`, { reason: 'x', ...members });
    expect(refusalOf(answer)).toBe(`400 validation_failed ${pointer}`);
  });

  it('F05 moves the end of a suspension', async () => {
    const { entity, where } = await member();
    for (const record of [where, `/api/v1/entities/${entity.id}`]) {
      const { etag } = await api.approver.post(`${record}/suspend`, { reason: 'x', until: inAnHour() });
      const path = `${record}/suspension`;
      const change = { until: null, reason: 'it takes longer' };
      expect(refusalOf(await api.approver.patch(path, change))).toBe('428 version_required');
      expect(refusalOf(await api.registrar.patch(path, change, { 'if-match': etag }))).toBe('403 role_missing');
      const { status, body } = await api.approver.patch(path, change, { 'if-match': etag });
      expect([status, body.state, body.suspendedUntil]).toEqual([200, 'suspended', null]);
      const again = await api.approver.patch(path, { until: inAnHour(), reason: 'x' }, { 'if-match': etag });
      expect(refusalOf(again)).toBe('412 version_mismatch');
    }
  });

  it('F05 knows an end of suspensions only', async () => {
    const { entity } = await member();
    const answer = await api.approver.post(`/api/v1/entities/${entity.id}/revoke`, { reason: 'x', until: inAnHour() });
    expect(refusalOf(answer)).toBe('400 validation_failed /until');
  });
});

describe('F06 over the API', () => {
  it('F06 an entity shows what others may do with it: a suspension is no revocation', async () => {
    const { entity, where } = await member();
    const permissions = async () => (await api.auditor.get(`/api/v1/entities/${entity.id}`)).body.permissions;
    expect(await permissions()).toEqual({ newAuthorization: true, useExisting: true, withdrawConsent: true });
    await api.approver.post(`${where}/suspend`, { reason: 'x' });
    expect(await permissions()).toEqual({ newAuthorization: false, useExisting: false, withdrawConsent: true });
    await api.approver.post(`${where}/revoke`, { reason: 'x' });
    expect(await permissions()).toEqual({ newAuthorization: false, useExisting: false, withdrawConsent: false });
  });
});

describe('F08 over the API', () => {
  it('F08 the last required contact of an active organisation stays: 422', async () => {
    const { organisation, where } = await member();
    const [contact] = organisation.contacts;
    const answer = await api.registrar.delete(`${where}/contacts/${contact?.id}`, { 'if-match': '"1"' });
    expect(refusalOf(answer)).toBe('422 contact_missing');
  });

  it('F08 settings of an authority say how contacts are kept alive', async () => {
    const where = `/api/v1/authorities/${authority.id}`;
    const { body, etag } = await api.admin.get(where);
    expect(body).toMatchObject({ contactConfirmationDays: 365, lapseGraceDays: 30, onLapse: 'none' });
    const settings = { contactConfirmationDays: null, lapseGraceDays: 7, onLapse: 'suspend' };
    const changed = await api.admin.patch(where, settings, { 'if-match': etag });
    expect(changed.body).toMatchObject(settings);
    for (const [wrong, pointer] of [
      [{ contactConfirmationDays: 0 }, '/contactConfirmationDays'],
      [{ lapseGraceDays: 1.5 }, '/lapseGraceDays'],
      [{ onLapse: 'revoke' }, '/onLapse'],
    ] as const) {
      const refused = await api.admin.patch(where, wrong, { 'if-match': changed.etag });
      expect(refusalOf(refused)).toBe(`400 validation_failed ${pointer}`);
    }
  });
});

describe('findings over the API', () => {
  it('are listed with names, filtered and paged', async () => {
    const { organisation, entity, where } = await member();
    await service.entity(organisation);
    await api.approver.post(`${where}/withdraw`, { reason: 'x' });
    await takeFindings(service.context());
    const of = `/api/v1/findings?organisationId=${organisation.id}`;
    const { body } = await api.auditor.get(`${of}&kind=owner_closed&limit=1`);
    expect(body.items).toMatchObject([{ kind: 'owner_closed', organisation: organisation.legalName }]);
    const next = await api.auditor.get(`${of}&kind=owner_closed&limit=1&cursor=${body.next}`);
    expect([next.body.items.length, next.body.next]).toEqual([1, undefined]);
    const names = [...body.items, ...next.body.items].map(({ subjectName }) => subjectName);
    expect(names).toContain(entity.entityIdentifier);
    expect((await api.auditor.get(`${of}&kind=contact_stale`)).body.items).toEqual([]);
    expect(refusalOf(await api.auditor.get(`${of}&kind=nonsense`))).toBe('400 validation_failed /query/kind');
  });
});

describe('exceptions over the API', () => {
  it('are asked for by one, approved by another, and end', async () => {
    const { entity } = await member();
    const owner = (await api.admin.get('/api/v1/whoami')).body.id;
    const endsAt = inAnHour();
    const asked = { kind: 'no_mtls', reason: 'an old gateway', ownerId: owner, endsAt };
    const made = await api.registrar.post(`/api/v1/entities/${entity.id}/exceptions`, asked);
    expect([made.status, made.body.state, made.body.inEffect, made.body.owner.id]).toEqual([
      201,
      'pending',
      false,
      owner,
    ]);
    const where = made.headers.get('location') ?? '';
    const decide = (client: typeof api.admin, transition: string, etag: string) =>
      client.post(`${where}/${transition}`, { reason: 'looked at it' }, { 'if-match': etag });
    expect(refusalOf(await decide(api.admin, 'approve', made.etag))).toBe('403 four_eyes');
    expect(refusalOf(await decide(api.registrar, 'approve', made.etag))).toBe('403 role_missing');
    expect(refusalOf(await decide(api.approver, 'approve', '"9"'))).toBe('412 version_mismatch');
    const approved = await decide(api.approver, 'approve', made.etag);
    expect(approved.body).toMatchObject({ state: 'approved', inEffect: true, allowedTransitions: ['end'] });
    expect((await api.auditor.get(`/api/v1/exceptions?entityId=${entity.id}`)).body.items).toEqual([approved.body]);
    expect((await decide(api.approver, 'end', approved.etag)).body).toMatchObject({ state: 'ended', inEffect: false });
  });

  it.each([
    ['without an end', { endsAt: undefined }, '/endsAt'],
    ['with an end beyond a year', { endsAt: '2099-01-01T00:00:00.000Z' }, '/endsAt'],
    ['without an owner', { ownerId: undefined }, '/ownerId'],
    ['of an owner that nobody knows', { ownerId: '019baf5e-0000-7000-8000-000000000000' }, '/ownerId'],
    ['of an unknown kind', { kind: 'no_tls' }, '/kind'],
    ['with a reason that turns the text', { reason: 'ok \u202e ko' }, '/reason'],
  ])('are refused %s', async (_what, members, pointer) => {
    const { entity } = await member();
    const owner = (await api.admin.get('/api/v1/whoami')).body.id;
    const asked = { kind: 'no_mtls', reason: 'x', ownerId: owner, endsAt: inAnHour(), ...members };
    const answer = await api.registrar.post(`/api/v1/entities/${entity.id}/exceptions`, asked);
    expect(refusalOf(answer)).toBe(`400 validation_failed ${pointer}`);
  });
});
