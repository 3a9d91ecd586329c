import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { recordChecks } from '../../../src/registry/entities/record-checks.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { renewTrustMark } from '../../../src/registry/trust-marks/renew-trust-mark.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import { transitionTrustMarkType } from '../../../src/registry/trust-marks/transition-trust-mark-type.ts';
import { refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { freshJwks } from '../../support/registry.ts';
import { type Query, startTestService, type TestService } from '../../support/service.ts';

describe.each(DATABASE_KINDS)('list on the %s database', (kind) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(kind);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  async function list(authority: Authority, query: Query = {}): Promise<string[]> {
    const response = await service.ask(authority, 'list', query);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    return (await response.json()) as string[];
  }

  async function entityIn(organisation: Organisation, types: string[], isIntermediate = false): Promise<string> {
    const verified = { verifiedEntityTypes: types, verifiedIntermediate: isIntermediate };
    return (await service.entity(organisation, verified)).entityIdentifier;
  }

  describe('of an authority with subordinates', () => {
    let authority: Authority;
    let organisation: Organisation;
    let rp: string;
    let op: string;
    let both: string;
    let intermediate: string;
    let all: string[];

    beforeAll(async () => {
      authority = await service.authority();
      organisation = await service.organisation(authority);
      rp = await entityIn(organisation, ['openid_relying_party', 'federation_entity']);
      op = await entityIn(organisation, ['openid_provider', 'federation_entity']);
      both = await entityIn(organisation, ['openid_relying_party', 'openid_provider']);
      intermediate = await entityIn(organisation, ['federation_entity'], true);
      all = [rp, op, both, intermediate];
    });

    it('[OIDFED-8.2-1] [OIDFED-15-1] names all Immediate Subordinates in a bare JSON array', async () => {
      expect(await list(authority)).toEqual(all);
    });

    it('keeps its order, also after a restart', async () => {
      await service.restart();
      expect(await list(authority)).toEqual(all);
      expect(await list(authority)).toEqual(all);
    });

    it('[OIDFED-8.2-3] filters by Entity Type', async () => {
      expect(await list(authority, { entity_type: 'openid_provider' })).toEqual([op, both]);
      expect(await list(authority, { entity_type: 'openid_relying_party' })).toEqual([rp, both]);
    });

    it.each(['oauth_resource', 'https://example.com/type/unheard-of', '', 'openid', 'OPENID_PROVIDER', 'a\0b', '%'])(
      '[OIDFED-8.2-3] knows nobody of the Entity Type %j',
      async (type) => {
        expect(await list(authority, { entity_type: type })).toEqual([]);
      },
    );

    it('[OIDFED-8.2-4] names entities of any of several Entity Types', async () => {
      const query = { entity_type: ['openid_provider', 'openid_relying_party'] };
      expect(await list(authority, query)).toEqual([rp, op, both]);
      const twice = { entity_type: ['unknown', 'openid_provider', 'openid_provider'] };
      expect(await list(authority, twice)).toEqual([op, both]);
    });

    it('[OIDFED-8.2-7] names only Intermediates on request', async () => {
      expect(await list(authority, { intermediate: 'true' })).toEqual([intermediate]);
      expect(await list(authority, { intermediate: 'true', entity_type: 'federation_entity' })).toEqual([intermediate]);
      expect(await list(authority, { intermediate: 'true', entity_type: 'openid_provider' })).toEqual([]);
    });

    it('[OIDFED-8.2-5] names nobody with Trust Marks, as none was issued', async () => {
      expect(await list(authority, { trust_marked: 'true' })).toEqual([]);
      expect(await list(authority, { trust_marked: 'true', entity_type: 'openid_provider' })).toEqual([]);
    });

    it('[OIDFED-8.2-6] [OIDFED-8.2-9] names nobody with a Trust Mark of a type that was never issued here', async () => {
      expect(await list(authority, { trust_mark_type: 'https://marks.example/certified' })).toEqual([]);
    });

    it('[OIDFED-8.2-8] takes false for no filter', async () => {
      expect(await list(authority, { trust_marked: 'false', intermediate: 'false' })).toEqual(all);
    });

    it.each<Query>([
      { intermediate: 'yes' },
      { intermediate: '' },
      { intermediate: 'TRUE' },
      { trust_marked: '1' },
      { trust_marked: 'null' },
      { intermediate: ['true', 'true'] },
      { trust_marked: ['true', 'false'] },
      { trust_mark_type: ['https://marks.example/a', 'https://marks.example/b'] },
    ])('[OIDFED-8.2-8] refuses %j', async (query) => {
      expect(await refusalIn(await service.ask(authority, 'list', query))).toBe('400 invalid_request');
    });

    it('[OIDFED-8-1] [OIDFED-8.2-2] ignores parameters that it does not understand, and supports every filter there is', async () => {
      expect(await list(authority, { limit: '1', sub: op, from: 'x' })).toEqual(all);
    });

    it('does not show anything of another authority', async () => {
      const other = await service.authority();
      expect(await list(other)).toEqual([]);
      const stranger = await entityIn(await service.organisation(other), ['openid_provider']);
      expect(await list(other)).toEqual([stranger]);
      expect(await list(authority)).toEqual(all);
    });
  });

  it('[OIDFED-8.2-1] is [] for an authority without subordinates, whatever the filters', async () => {
    const authority = await service.authority();
    expect(await list(authority)).toEqual([]);
    expect(await list(authority, { entity_type: 'openid_provider', intermediate: 'true' })).toEqual([]);
  });

  describe('with Trust Marks issued here', () => {
    it('[OIDFED-8.2-5] [OIDFED-8.2-6] names those that hold a valid one, of any type or of the one asked for', async () => {
      const authority = await service.authority();
      const organisation = await service.organisation(authority);
      const [member, audited] = [await service.trustMarkType(authority), await service.trustMarkType(authority)];
      const rp = await entityIn(organisation, ['openid_relying_party']);
      const op = await entityIn(organisation, ['openid_provider']);
      await entityIn(organisation, ['openid_provider']);
      await service.trustMark(member, rp);
      const end = new Date((service.clock.now() + 60) * 1000);
      const mark = await service.trustMark(audited, op, { expiresAt: end });
      await service.trustMark(audited);
      const marked = (query: Query = {}) => list(authority, { trust_marked: 'true', ...(query as object) });
      const ofType = ({ trustMarkType }: { trustMarkType: string }) =>
        list(authority, { trust_mark_type: trustMarkType });
      expect([await marked(), await ofType(member), await ofType(audited)]).toEqual([[rp, op], [rp], [op]]);
      expect(await marked({ entity_type: 'openid_provider' })).toEqual([op]);
      expect(await marked({ entity_type: ['openid_provider', 'openid_relying_party'] })).toEqual([rp, op]);
      expect(await marked({ intermediate: 'true' })).toEqual([]);
      service.clock.advance(60);
      expect([await marked(), await ofType(audited)]).toEqual([[rp], []]);
      await renewTrustMark(service.context(), mark.id, { expiresAt: null });
      expect([await marked(), await ofType(audited)]).toEqual([[rp, op], [op]]);
      await transitionTrustMark(service.context(), mark.id, 'withdraw', 'audit failed');
      expect([await marked(), await ofType(audited)]).toEqual([[rp], []]);
      await transitionTrustMarkType(service.context(), member.id, 'retire', 'replaced');
      expect([await marked(), await ofType(member)]).toEqual([[], []]);
    });

    it('[OIDFED-8-1] filters by no name that older drafts have for the type', async () => {
      const authority = await service.authority();
      const organisation = await service.organisation(authority);
      const rp = await entityIn(organisation, ['openid_relying_party']);
      const op = await entityIn(organisation, ['openid_provider']);
      const { trustMarkType } = await service.trustMarkType(authority);
      expect(await list(authority, { trust_mark_id: trustMarkType })).toEqual([rp, op]);
    });

    it('[OIDFED-8.2-6] counts no mark that another authority issued', async () => {
      const authority = await service.authority();
      const rp = await entityIn(await service.organisation(authority), ['openid_relying_party']);
      const elsewhere = await service.trustMarkType(await service.authority());
      await service.trustMark(elsewhere, rp);
      const { trustMarkType } = elsewhere;
      expect(await list(authority, { trust_marked: 'true' })).toEqual([]);
      expect(await list(authority, { trust_mark_type: trustMarkType })).toEqual([]);
      await service.trustMarkType(authority, { trustMarkType });
      expect(await list(authority, { trust_mark_type: trustMarkType })).toEqual([]);
    });
  });

  it('names only active entities of active organisations, immediately after each change', async () => {
    const authority = await service.authority();
    const organisation = await service.organisation(authority);
    for (const state of ['pending', 'rejected', 'suspended', 'withdrawn', 'revoked'] as const) {
      await service.entity(organisation, {}, state);
    }
    expect(await list(authority)).toEqual([]);
    const { id, entityIdentifier } = await service.entity(organisation, {}, 'pending');
    const members = () => Promise.all([list(authority), list(authority, { entity_type: 'openid_relying_party' })]);
    expect(await members()).toEqual([[], []]);
    await transitionEntity(service.context(), id, 'approve', 'fine');
    expect(await members()).toEqual([[entityIdentifier], [entityIdentifier]]);
    await transitionEntity(service.context(), id, 'suspend', 'incident');
    expect(await members()).toEqual([[], []]);
    await transitionEntity(service.context(), id, 'reinstate', 'mended');
    expect(await members()).toEqual([[entityIdentifier], [entityIdentifier]]);
    await transitionOrganisation(service.context(), organisation.id, 'suspend', 'contract ended');
    expect(await members()).toEqual([[], []]);
    await transitionOrganisation(service.context(), organisation.id, 'reinstate', 'contract renewed');
    expect(await members()).toEqual([[entityIdentifier], [entityIdentifier]]);
    await transitionEntity(service.context(), id, 'withdraw', 'gone');
    expect(await members()).toEqual([[], []]);
  });

  it('[OIDFED-8.2-10] goes by the last verified configuration, and by what was registered where there never was one', async () => {
    const authority = await service.authority();
    const organisation = await service.organisation(authority);
    const registered = { entityTypes: ['openid_provider'], isIntermediate: true };
    const verified = await service.entity(organisation, {
      ...registered,
      verifiedEntityTypes: ['openid_relying_party'],
      verifiedIntermediate: false,
    });
    const handedOver = await service.entity(organisation, {
      ...registered,
      enrolment: 'handed_over',
      verifiedEntityTypes: null,
      verifiedIntermediate: null,
    });
    const [known, unseen] = [verified.entityIdentifier, handedOver.entityIdentifier];
    const providers = () => list(authority, { entity_type: 'openid_provider' });
    expect(await providers()).toEqual([unseen]);
    expect(await list(authority, { entity_type: 'openid_relying_party' })).toEqual([known]);
    expect(await list(authority, { intermediate: 'true' })).toEqual([unseen]);
    await recordChecks(service.context(), verified.id, {
      checks: verified.checks,
      evidence: { digest: 'of a new configuration' },
      verifiedEntityTypes: ['openid_provider', 'federation_entity'],
      verifiedIntermediate: true,
      jwks: await freshJwks(),
    });
    expect(await providers()).toEqual([known, unseen]);
    expect(await list(authority, { intermediate: 'true' })).toEqual([known, unseen]);
  });

  it('bears made-up Entity Types in any number', async () => {
    const authority = await service.authority();
    await entityIn(await service.organisation(authority), ['openid_provider']);
    const types = Array.from({ length: 200 }, (_, index) => `made-up-${index}`);
    expect(await list(authority, { entity_type: types })).toEqual([]);
    expect(await list(authority, { entity_type: [...types, 'openid_provider'] })).toHaveLength(1);
  });
});
