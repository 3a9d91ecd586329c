/** Rolling, activating and revoking keys over the API. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { claimsOf, headerOf, jwtOf } from '../../../support/answers.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const REASON = { reason: 'a test' };
const REVOCATION = { revocationReason: 'compromised', reason: 'a laptop was stolen' };
const keysPath = ({ id }: Pick<Authority, 'id'>) => `/api/v1/authorities/${id}/keys`;

async function activeKid(authority: Authority): Promise<string> {
  const { body } = await api.auditor.get(keysPath(authority));
  return body.items.find(({ state }: { state: string }) => state === 'active').kid;
}

async function configuration(authority: Authority): Promise<string> {
  return await jwtOf(await api.service.ask(authority, 'configuration'), 'application/entity-statement+jwt');
}

describe('201', () => {
  it('announces a key, which the configuration lists at once', async () => {
    const authority = await api.service.authority();
    const { status, body } = await api.admin.post(keysPath(authority), REASON);
    expect([status, body.state, body.activateAfter]).toEqual([201, 'announced', '2027-01-20T08:00:00.000Z']);
    expect(claimsOf(await configuration(authority))['jwks']).toEqual({
      keys: expect.arrayContaining([expect.objectContaining({ kid: body.kid })]),
    });
  });
});

describe('200', () => {
  it('shows superior by superior what an announced key waits for', async () => {
    const superior = 'https://superior.example';
    const authority = await api.service.authority({ authorityHints: [superior] });
    const { kid } = (await api.admin.post(keysPath(authority), REASON)).body;
    const { body } = await api.auditor.get(keysPath(authority));
    expect(body.items.find((key: { kid: string }) => key.kid === kid).superiors).toEqual([
      { superior, listedAt: null, safeFrom: null, seenAt: null, failure: null },
    ]);
  });

  it('lets an announced key sign', async () => {
    const authority = await api.service.authority();
    const { kid } = (await api.admin.post(keysPath(authority), REASON)).body;
    const { status, body } = await api.admin.post(`${keysPath(authority)}/${kid}/activate`, { force: true, ...REASON });
    expect([status, body.state]).toEqual([200, 'active']);
    expect(headerOf(await configuration(authority))['kid']).toBe(kid);
  });

  it('[OIDFED-8.7-5] [OIDFED-8.7-9] revokes the key that signs, and says what that means', async () => {
    const authority = await api.service.authority();
    const rp = await api.service.entity(await api.service.organisation(authority));
    const ask = () => api.service.ask(authority, 'fetch', { sub: rp.entityIdentifier });
    await ask();
    await configuration(authority);
    const kid = await activeKid(authority);
    const { status, body } = await api.admin.post(`${keysPath(authority)}/${kid}/revoke`, REVOCATION);
    expect([status, body.key.state, body.failure]).toEqual([200, 'revoked', null]);
    expect(body.impact).toMatchObject({
      statements: [
        { kind: 'entity-configuration', count: 1, lastExpiresAt: '2027-01-16T08:00:00.000Z' },
        { kind: 'subordinate-statement', count: 1, lastExpiresAt: '2027-01-15T09:00:00.000Z' },
      ],
      outstandingUntil: '2027-01-16T08:00:00.000Z',
      subordinates: 1,
      superiors: [],
    });
    expect(headerOf(await jwtOf(await ask(), 'application/entity-statement+jwt'))['kid']).toBe(body.signingKid);
    const historical = await jwtOf(await api.service.ask(authority, 'historicalKeys'), 'application/jwk-set+jwt');
    expect(claimsOf(historical)['keys']).toMatchObject([
      { kid, revoked: { revoked_at: api.service.clock.now(), reason: 'compromised' } },
    ]);
  });
});

describe('400', () => {
  it.each([{}, { reason: '' }, { reason: 'x', force: 'yes' }, { reason: 'x', kid: 'y' }])(
    'refuses %j',
    async (body) => {
      const authority = await api.service.authority();
      const path = `${keysPath(authority)}/${await activeKid(authority)}/activate`;
      expect(refusalOf(await api.admin.post(path, body))).toMatch(/^400 validation_failed/);
    },
  );

  it.each([{ reason: 'x' }, { revocationReason: 'two words', reason: 'x' }, { revocationReason: 'compromised' }])(
    'refuses to revoke for %j',
    async (body) => {
      const authority = await api.service.authority();
      const path = `${keysPath(authority)}/${await activeKid(authority)}/revoke`;
      expect(refusalOf(await api.admin.post(path, body))).toMatch(/^400 validation_failed/);
    },
  );
});

describe('403', () => {
  it('is for admins only', async () => {
    const authority = await api.service.authority();
    const kid = await activeKid(authority);
    const asked = [
      api.approver.post(keysPath(authority), REASON),
      api.registrar.post(`${keysPath(authority)}/${kid}/activate`, REASON),
      api.auditor.post(`${keysPath(authority)}/${kid}/revoke`, REVOCATION),
    ];
    for (const answer of await Promise.all(asked)) expect(refusalOf(answer)).toBe('403 role_missing');
  });
});

describe('404', () => {
  it('knows no such authority, and no such key of it', async () => {
    const [authority, other] = [await api.service.authority(), await api.service.authority()];
    expect(refusalOf(await api.admin.post(keysPath({ id: NO_SUCH_ID }), REASON))).toBe('404 not_found');
    for (const kid of ['unknown', await activeKid(other)]) {
      const path = `${keysPath(authority)}/${kid}`;
      expect(refusalOf(await api.admin.post(`${path}/activate`, REASON))).toBe('404 not_found');
      expect(refusalOf(await api.admin.post(`${path}/revoke`, REVOCATION))).toBe('404 not_found');
    }
  });
});

describe('409', () => {
  it('says what a key waits for', async () => {
    const authority = await api.service.authority({ authorityHints: ['https://superior.example'] });
    const { kid } = (await api.admin.post(keysPath(authority), REASON)).body;
    const answer = await api.admin.post(`${keysPath(authority)}/${kid}/activate`, REASON);
    expect([refusalOf(answer), answer.body.waits.map((wait: { superior?: string }) => wait.superior)]).toEqual([
      '409 key_not_ready',
      [undefined, 'https://superior.example'],
    ]);
  });

  it('rolls one key at a time, and revokes a key once', async () => {
    const authority = await api.service.authority();
    const { kid } = (await api.admin.post(keysPath(authority), REASON)).body;
    expect(refusalOf(await api.admin.post(keysPath(authority), REASON))).toBe('409 key_roll_pending');
    const path = `${keysPath(authority)}/${kid}/revoke`;
    expect((await api.admin.post(path, REVOCATION)).status).toBe(200);
    expect(refusalOf(await api.admin.post(path, REVOCATION))).toBe('409 illegal_transition');
  });
});
