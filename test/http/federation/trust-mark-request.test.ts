import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_ASSERTION_TYPE } from '../../../src/federation/client-assertion.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { renewTrustMark } from '../../../src/registry/trust-marks/renew-trust-mark.ts';
import { listTrustMarks } from '../../../src/registry/trust-marks/trust-mark.ts';
import { refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { signJwt, type TestKey, testKey } from '../../support/keys.ts';
import { actor } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

describe.each(DATABASE_KINDS)('an entity that asks for a Trust Mark itself, on %s', (kind) => {
  let service: TestService;
  let authority: Authority;
  let entity: Entity;
  let key: TestKey;
  let assertions = 0;

  beforeAll(async () => {
    service = await startTestService(kind);
    authority = await service.authority();
    key = await testKey('ES256', 61);
    entity = await service.entity(await service.organisation(authority), { jwks: { keys: [key.jwk] } });
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  const assertion = async (claims: object = {}, by = key) => {
    const { entityIdentifier } = entity;
    const exp = service.clock.now() + 60;
    const regular = { iss: entityIdentifier, sub: entityIdentifier, aud: authority.entityIdentifier, exp };
    return await signJwt(by, 'JWT', { ...regular, jti: `${++assertions}`, ...claims });
  };

  const ask = async (trustMarkType: string, clientAssertion?: string): Promise<Response> => {
    const form = { trust_mark_type: trustMarkType, client_assertion_type: CLIENT_ASSERTION_TYPE };
    const proof = { client_assertion: clientAssertion ?? (await assertion()) };
    const init = { method: 'POST', body: new URLSearchParams({ ...form, ...proof }) };
    return await service.fetch(`${authority.entityIdentifier}/federation/trust-mark-request`, init);
  };

  const answerOf = async (response: Response): Promise<unknown> => [response.status, await response.json()];

  it('waits for approval, and hears how its request fares', async () => {
    const { trustMarkType } = await service.trustMarkType(authority);
    const told = (status: string) => ({ trust_mark_type: trustMarkType, sub: entity.entityIdentifier, status });
    expect(await answerOf(await ask(trustMarkType))).toEqual([202, told('pending')]);
    expect(await answerOf(await ask(trustMarkType))).toEqual([202, told('pending')]);
    const { items } = await listTrustMarks(service.db, actor(), { subject: entity.entityIdentifier }, { limit: 10 });
    expect(items).toMatchObject([{ state: 'pending', requestedBy: 'entity', entityId: entity.id }]);
    const [row] = (await service.auditAfter()).filter(({ action }) => action === 'trust_mark.request');
    expect(row?.actor).toMatchObject({ kind: 'entity', id: entity.entityIdentifier });
  });

  it('has the mark at once where the type says so', async () => {
    const { trustMarkType } = await service.trustMarkType(authority, { approval: 'automatic' });
    expect(await answerOf(await ask(trustMarkType))).toMatchObject([200, { status: 'active' }]);
    const query = { trust_mark_type: trustMarkType, sub: entity.entityIdentifier };
    expect((await service.ask(authority, 'trustMark', query)).status).toBe(200);
  });

  it('is told when it is not eligible, or there is no such type', async () => {
    const eligibility = { entityTypes: ['openid_provider'] };
    const { trustMarkType } = await service.trustMarkType(authority, { eligibility });
    expect(await refusalIn(await ask(trustMarkType))).toBe('400 invalid_request');
    expect(await refusalIn(await ask('https://marks.example/never'))).toBe('404 not_found');
    const elsewhere = await service.trustMarkType(await service.authority());
    expect(await refusalIn(await ask(elsewhere.trustMarkType))).toBe('404 not_found');
  });

  it('is not told that it has a mark which does not stand', async () => {
    const type = await service.trustMarkType(authority);
    const { trustMarkType } = type;
    const end = new Date((service.clock.now() + 600) * 1000);
    const mark = await service.trustMark(type, entity.entityIdentifier, { expiresAt: end });
    expect(await answerOf(await ask(trustMarkType))).toMatchObject([200, { status: 'active' }]);
    service.clock.advance(600);
    expect(await refusalIn(await ask(trustMarkType))).toBe('400 invalid_request');
    await renewTrustMark(service.context(), mark.id, { expiresAt: null });
    expect(await answerOf(await ask(trustMarkType))).toMatchObject([200, { status: 'active' }]);
    const { entityIdentifier, organisationId } = entity;
    await transitionEntity(service.context(), entity.id, 'withdraw', 'moving');
    const organisation = await readOrganisation(service.db, actor(), organisationId);
    entity = await service.entity(organisation, { entityIdentifier, jwks: { keys: [key.jwk] } });
    expect(await refusalIn(await ask(trustMarkType))).toBe('400 invalid_request');
    await renewTrustMark(service.context(), mark.id, {});
    expect(await answerOf(await ask(trustMarkType))).toMatchObject([200, { status: 'active' }]);
  });

  it('proves who it is, freshly and to this authority', async () => {
    const { trustMarkType } = await service.trustMarkType(authority);
    const used = await assertion();
    expect((await ask(trustMarkType, used)).status).toBe(202);
    for (const proof of [
      used,
      await assertion({ aud: 'https://other.example' }),
      await assertion({ exp: service.clock.now() - 60 }),
      await assertion({}, await testKey('ES256', 62)),
      await assertion({ iss: 'https://nobody.example', sub: 'https://nobody.example' }),
    ]) {
      expect(await refusalIn(await ask(trustMarkType, proof))).toBe('401 invalid_client');
    }
    const url = `${authority.entityIdentifier}/federation/trust-mark-request`;
    expect((await service.fetch(url)).status).toBe(405);
  });

  it('is nobody here once it is suspended', async () => {
    const { trustMarkType } = await service.trustMarkType(authority, { approval: 'automatic' });
    await transitionEntity(service.context(), entity.id, 'suspend', 'incident');
    expect(await refusalIn(await ask(trustMarkType))).toBe('401 invalid_client');
    await transitionEntity(service.context(), entity.id, 'reinstate', 'mended');
    expect((await ask(trustMarkType)).status).toBe(200);
  });
});
