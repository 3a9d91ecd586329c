import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { freshKey, TestSubordinate } from '../../../support/subordinate-keys.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority();
const reason = 'by a test';
const enrol = () => TestSubordinate.enrol(service, authority);
const path = ({ id }: { id: string }, name = '') => `/api/v1/entities/${id}/keys${name}`;

describe('GET keys', () => {
  it('tells of each key where it came from and how it went, and what is proposed', async () => {
    const entity = await enrol();
    const [next, wanted] = [await freshKey(), await freshKey()];
    await entity.push([entity.key, next]);
    await entity.refresh([entity.key, next, wanted]);
    await api.registrar.post(path(entity, '/compromise'), { kid: next.kid, reason });
    const { status, body } = await api.auditor.get(path(entity));
    expect(status).toBe(200);
    expect(body.items).toMatchObject([
      { kid: entity.key.kid, state: 'registered', source: 'enrolment', removedAt: null },
      { kid: next.kid, state: 'compromised', source: 'push', removal: 'compromised', compromiseReason: reason },
    ]);
    const proposal = { kid: wanted.kid, state: 'proposed', publicJwk: wanted.jwk, signedBy: entity.key.kid };
    // The kids of these keys are their thumbprints.
    expect(body.proposals).toMatchObject([{ ...proposal, thumbprint: wanted.kid }]);
    expect(body.items.map(({ thumbprint }: { thumbprint: string }) => thumbprint)).toEqual([entity.key.kid, next.kid]);
  });
});

describe('POST keys', () => {
  it('accepts, refuses and removes, and answers with the entity', async () => {
    const entity = await enrol();
    const { kid } = await entity.proposeKey();
    const unseen = await api.registrar.post(path(entity, '/accept'), { kid, reason });
    const other = await api.registrar.post(path(entity, '/accept'), { kid, reason, thumbprint: entity.key.kid });
    expect([refusalOf(unseen), refusalOf(other)]).toEqual([
      '400 validation_failed /thumbprint',
      '409 evidence_changed',
    ]);
    const accepted = await api.registrar.post(path(entity, '/accept'), { kid, reason, thumbprint: kid });
    expect([accepted.status, accepted.body.jwks.keys.map((key: { kid: string }) => key.kid)]).toEqual([
      200,
      [entity.key.kid, kid],
    ]);
    const removed = await api.registrar.post(path(entity, '/remove'), { kid, reason });
    expect(removed.body.jwks.keys).toHaveLength(1);
    expect(refusalOf(await api.registrar.post(path(entity, '/refuse'), { kid, reason }))).toBe('404 not_found');
    const last = { kid: entity.key.kid, reason };
    expect(refusalOf(await api.registrar.post(path(entity, '/remove'), last))).toBe('409 last_key');
    const meant = await api.registrar.post(path(entity, '/remove'), { ...last, allowNoKeys: true });
    expect([meant.status, meant.body.jwks.keys]).toEqual([200, []]);
  });

  it('is for admins and registrars, with a reason, about entities that are there', async () => {
    const entity = await enrol();
    const decision = { kid: entity.key.kid, reason };
    for (const name of ['/accept', '/refuse', '/remove', '/compromise']) {
      const named = name === '/accept' ? { ...decision, thumbprint: entity.key.kid } : decision;
      expect(refusalOf(await api.approver.post(path(entity, name), named))).toBe('403 role_missing');
      expect(refusalOf(await api.admin.post(path({ id: NO_SUCH_ID }, name), named))).toBe('404 not_found');
      const { reason: _, ...unreasoned } = named;
      expect(refusalOf(await api.admin.post(path(entity, name), unreasoned))).toBe('400 validation_failed /reason');
    }
  });
});

describe('POST refresh', () => {
  it('raises a finding that the entity shows when its configuration cannot be had', async () => {
    const entity = await enrol();
    const { status, body } = await api.registrar.post(`/api/v1/entities/${entity.id}/refresh`);
    expect([status, body.outcome]).toEqual([200, 'unavailable']);
    const shown = await api.auditor.get(`/api/v1/entities/${entity.id}`);
    expect(shown.body.findings).toMatchObject([{ kind: 'configuration_unavailable' }]);
  });

  it('is for admins and registrars, while the entity is active', async () => {
    const entity = await enrol();
    const refresh = `/api/v1/entities/${entity.id}/refresh`;
    expect(refusalOf(await api.auditor.post(refresh))).toBe('403 role_missing');
    await api.approver.post(`/api/v1/entities/${entity.id}/suspend`, { reason });
    expect(refusalOf(await api.admin.post(refresh))).toBe('409 entity_not_active');
  });
});
