import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import { parseTrustMark, verifyTrustMarkSignature } from '../../../src/federation/trust-mark/trust-mark.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { renewTrustMark } from '../../../src/registry/trust-marks/renew-trust-mark.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import { transitionTrustMarkType } from '../../../src/registry/trust-marks/transition-trust-mark-type.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { updateTrustMarkType } from '../../../src/registry/trust-marks/update-trust-mark-type.ts';
import { claimsOf, headerOf, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { freshIdentifier } from '../../support/registry.ts';
import { type Query, startTestService, type TestService } from '../../support/service.ts';

describe.each(DATABASE_KINDS)('Trust Marks of an issuer on the %s database', (kind) => {
  let service: TestService;
  let authority: Authority;

  beforeAll(async () => {
    service = await startTestService(kind);
    authority = await service.authority();
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  const ask = (type: TrustMarkType, sub: string, from = authority) =>
    service.ask(from, 'trustMark', { trust_mark_type: type.trustMarkType, sub });

  const markOf = async (type: TrustMarkType, sub: string): Promise<string> =>
    await jwtOf(await ask(type, sub), MEDIA_TYPE.trustMark);

  const statusOf = async (jwt: string): Promise<unknown> =>
    claimsOf(await jwtOf(await service.askStatus(authority, jwt), MEDIA_TYPE.trustMarkStatusResponse))['status'];

  const holders = async (type: TrustMarkType, sub?: string): Promise<unknown> => {
    const query: Query = { trust_mark_type: type.trustMarkType, ...(sub === undefined ? {} : { sub }) };
    const response = await service.ask(authority, 'trustMarkList', query);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    return await response.json();
  };

  describe('the Trust Mark endpoint', () => {
    it('[OIDFED-8.6-1] [OIDFED-7-1] [OIDFED-7-2] [OIDFED-7.1-1] gives the mark, signed with a key of the issuer', async () => {
      const type = await service.trustMarkType(authority, {
        logoUri: 'https://marks.example/logo.svg',
        ref: 'https://marks.example/about',
        additionalClaims: { level: 1, 'logo_uri#sv': 'https://marks.example/logo-sv.svg' },
      });
      const { subject } = await service.trustMark(type, undefined, { additionalClaims: { level: 2 } });
      const jwt = await markOf(type, subject);
      const kid = (await service.jwks(authority)).keys[0]?.kid;
      expect(headerOf(jwt)).toEqual({ typ: 'trust-mark+jwt', alg: 'ES256', kid });
      const iat = service.clock.now();
      expect(claimsOf(jwt)).toEqual({
        iss: authority.entityIdentifier,
        sub: subject,
        trust_mark_type: type.trustMarkType,
        iat,
        exp: iat + 3600,
        logo_uri: 'https://marks.example/logo.svg',
        ref: 'https://marks.example/about',
        level: 2,
        'logo_uri#sv': 'https://marks.example/logo-sv.svg',
      });
      await verifyTrustMarkSignature(parseTrustMark(jwt), await service.jwks(authority));
      expect(await statusOf(jwt)).toBe('active');
    });

    it.each<[string, Query]>([
      ['without a subject', { trust_mark_type: 'https://marks.example/x' }],
      ['without a type', { sub: 'https://op.example' }],
      ['about no Entity Identifier', { trust_mark_type: 'https://marks.example/x', sub: 'op' }],
      ['with two types', { trust_mark_type: ['https://marks.example/x', 'y'], sub: 'https://op.example' }],
    ])('[OIDFED-8.6-1] refuses a question %s', async (_what, query) => {
      expect(await refusalIn(await service.ask(authority, 'trustMark', query))).toBe('400 invalid_request');
    });

    it('[OIDFED-8.6-2] has no mark for whoever has none: of that type, of that issuer, or at all', async () => {
      const [type, another] = [await service.trustMarkType(authority), await service.trustMarkType(authority)];
      const { subject } = await service.trustMark(type);
      const stranger = await service.authority();
      const unknown = { ...type, trustMarkType: 'https://marks.example/never' };
      for (const answer of [
        await ask(another, subject),
        await ask(type, freshIdentifier('nobody')),
        await ask(unknown, subject),
        await ask(type, subject, stranger),
      ]) {
        expect(await refusalIn(answer)).toBe('404 not_found');
      }
    });

    it('does not know a type by the name that older drafts have for it, nor do listings', async () => {
      const type = await service.trustMarkType(authority);
      const { subject: sub } = await service.trustMark(type);
      const older = { trust_mark_id: type.trustMarkType, id: type.trustMarkType };
      expect(await refusalIn(await service.ask(authority, 'trustMark', { ...older, sub }))).toBe('400 invalid_request');
      expect(await refusalIn(await service.ask(authority, 'trustMarkList', { ...older, sub }))).toBe(
        '400 invalid_request',
      );
      const both = { ...older, trust_mark_id: 'https://marks.example/never', trust_mark_type: type.trustMarkType, sub };
      const jwt = await jwtOf(await service.ask(authority, 'trustMark', both), MEDIA_TYPE.trustMark);
      expect(Object.keys(claimsOf(jwt)).filter((name) => name in older)).toEqual([]);
      expect(await (await service.ask(authority, 'trustMarkList', both)).json()).toEqual([sub]);
    });

    it('gives the same bytes until half of their life is over, also after a restart', async () => {
      const type = await service.trustMarkType(authority);
      const { subject } = await service.trustMark(type);
      const first = await markOf(type, subject);
      service.clock.advance(1000);
      await service.restart();
      expect(await markOf(type, subject)).toBe(first);
      service.clock.advance(900);
      const second = await markOf(type, subject);
      expect(claimsOf(second)['iat']).toBe(service.clock.now());
      expect([await statusOf(first), await statusOf(second)]).toEqual(['active', 'active']);
      service.clock.advance(1700);
      expect([await statusOf(first), await statusOf(second)]).toEqual(['expired', 'active']);
    });

    it('[OIDFED-7.3-9] [OIDFED-8.4-7] gives marks without exp where the type says so, and offers status and listing for them', async () => {
      const issuer = await service.authority();
      const configured = async () => {
        const jwt = await jwtOf(await service.ask(issuer, 'configuration'), MEDIA_TYPE.entityStatement);
        const { metadata } = claimsOf(jwt) as { metadata: Record<string, Record<string, unknown>> };
        return Object.fromEntries(
          Object.entries(metadata['federation_entity'] ?? {}).filter(([name]) => name.includes('trust_mark')),
        );
      };
      expect(await configured()).toEqual({});
      const type = await service.trustMarkType(issuer, { lifetimeSeconds: null });
      const id = issuer.entityIdentifier;
      expect(await configured()).toEqual({
        federation_trust_mark_status_endpoint: `${id}/federation/trust-mark-status`,
        federation_trust_mark_list_endpoint: `${id}/federation/trust-marks`,
        federation_trust_mark_endpoint: `${id}/federation/trust-mark`,
      });
      const { subject } = await service.trustMark(type);
      const jwt = await jwtOf(await ask(type, subject, issuer), MEDIA_TYPE.trustMark);
      expect(claimsOf(jwt)).not.toHaveProperty('exp');
      service.clock.advance(10 * 366 * 86_400);
      expect(await jwtOf(await ask(type, subject, issuer), MEDIA_TYPE.trustMark)).toBe(jwt);
    });

    it('ends a mark with its grant', async () => {
      const type = await service.trustMarkType(authority);
      const end = service.clock.now() + 600;
      const mark = await service.trustMark(type, undefined, { expiresAt: new Date(end * 1000) });
      const jwt = await markOf(type, mark.subject);
      expect(claimsOf(jwt)['exp']).toBe(end);
      expect([await holders(type), await holders(type, mark.subject)]).toEqual([[mark.subject], [mark.subject]]);
      service.clock.advance(600);
      expect(await refusalIn(await ask(type, mark.subject))).toBe('404 not_found');
      expect([await holders(type), await holders(type, mark.subject)]).toEqual([[], []]);
      expect(await statusOf(jwt)).toBe('expired');
      await renewTrustMark(service.context(), mark.id, { expiresAt: null });
      expect(claimsOf(await markOf(type, mark.subject))['exp']).toBe(service.clock.now() + 3600);
      expect([await holders(type), await statusOf(jwt)]).toEqual([[mark.subject], 'expired']);
    });

    it('says at once what the type says now', async () => {
      const type = await service.trustMarkType(authority);
      const { subject } = await service.trustMark(type);
      const before = await markOf(type, subject);
      await updateTrustMarkType(service.context(), type.id, { ref: 'https://marks.example/new' });
      const after = await markOf(type, subject);
      expect(claimsOf(after)['ref']).toBe('https://marks.example/new');
      expect([await statusOf(before), await statusOf(after)]).toEqual(['active', 'active']);
    });
  });

  describe('the Trust Mark listing', () => {
    it('[OIDFED-8.5-1] names all who hold a valid mark, subordinates or not, in the order of their grants', async () => {
      const type = await service.trustMarkType(authority);
      const organisation = await service.organisation(authority);
      const { entityIdentifier } = await service.entity(organisation);
      const stranger = await service.trustMark(type);
      await service.trustMark(type, entityIdentifier);
      await service.trustMark(await service.trustMarkType(authority));
      expect(await holders(type)).toEqual([stranger.subject, entityIdentifier]);
    });

    it('[OIDFED-8.5-2] names the subject alone on request, if it holds a mark', async () => {
      const type = await service.trustMarkType(authority);
      const [one] = [await service.trustMark(type), await service.trustMark(type)];
      expect(await holders(type, one.subject)).toEqual([one.subject]);
      expect(await holders(type, freshIdentifier('nobody'))).toEqual([]);
    });

    it('[OIDFED-8.5-3] is [] for a type without holders, and for one that is not issued here', async () => {
      const type = await service.trustMarkType(authority);
      expect(await holders(type)).toEqual([]);
      expect(await holders({ ...type, trustMarkType: 'https://marks.example/never' })).toEqual([]);
      const elsewhere = await service.trustMarkType(await service.authority());
      await service.trustMark(elsewhere);
      expect(await holders(elsewhere)).toEqual([]);
    });

    it.each<Query>([{}, { trust_mark_type: '' }, { trust_mark_type: ['a', 'b'] }, { trust_mark_type: 'a', sub: 'x' }])(
      '[OIDFED-8.5-1] refuses %j',
      async (query) => {
        expect(await refusalIn(await service.ask(authority, 'trustMarkList', query))).toBe('400 invalid_request');
      },
    );

    it('is told from what the caller has, like every list', async () => {
      const type = await service.trustMarkType(authority);
      await service.trustMark(type);
      const query = { trust_mark_type: type.trustMarkType };
      const first = await service.ask(authority, 'trustMarkList', query);
      const etag = first.headers.get('etag') ?? '';
      const headers = { 'if-none-match': etag };
      expect((await service.ask(authority, 'trustMarkList', query, { headers })).status).toBe(304);
      await service.trustMark(type);
      expect((await service.ask(authority, 'trustMarkList', query, { headers })).status).toBe(200);
    });
  });

  describe('a mark that stands no more', () => {
    /** What every surface says about a mark. */
    const surfaces = async (type: TrustMarkType, subject: string, jwt: string) => ({
      mark: (await ask(type, subject)).status,
      listing: await holders(type),
      alone: await holders(type, subject),
      status: await statusOf(jwt),
    });

    const standing = (subject: string) => ({ mark: 200, listing: [subject], alone: [subject], status: 'active' });
    const fallen = { mark: 404, listing: [], alone: [], status: 'revoked' };

    it('is revoked on every surface as soon as its entity is suspended, and back once that is reinstated', async () => {
      const type = await service.trustMarkType(authority);
      const entity = await service.entity(await service.organisation(authority));
      await service.trustMark(type, entity.entityIdentifier);
      const jwt = await markOf(type, entity.entityIdentifier);
      const seen = () => surfaces(type, entity.entityIdentifier, jwt);
      expect(await seen()).toEqual(standing(entity.entityIdentifier));
      await transitionEntity(service.context(), entity.id, 'suspend', 'incident');
      expect(await seen()).toEqual(fallen);
      await transitionEntity(service.context(), entity.id, 'reinstate', 'mended');
      expect(await seen()).toEqual(standing(entity.entityIdentifier));
      expect(await markOf(type, entity.entityIdentifier)).toBe(jwt);
      await transitionOrganisation(service.context(), entity.organisationId, 'suspend', 'contract ended');
      expect(await seen()).toEqual(fallen);
      await transitionOrganisation(service.context(), entity.organisationId, 'reinstate', 'contract renewed');
      expect(await seen()).toEqual(standing(entity.entityIdentifier));
      await transitionEntity(service.context(), entity.id, 'withdraw', 'gone');
      expect(await seen()).toEqual(fallen);
    });

    it('does not come back when its entity is enrolled anew', async () => {
      const type = await service.trustMarkType(authority);
      const organisation = await service.organisation(authority);
      const { id, entityIdentifier } = await service.entity(organisation);
      const mark = await service.trustMark(type, entityIdentifier);
      const jwt = await markOf(type, entityIdentifier);
      await transitionEntity(service.context(), id, 'revoke', 'fraud');
      await service.entity(organisation, { entityIdentifier });
      expect(await surfaces(type, entityIdentifier, jwt)).toEqual(fallen);
      await transitionTrustMark(service.context(), mark.id, 'withdraw', 'of the old record');
      await service.trustMark(type, entityIdentifier);
      expect(await surfaces(type, entityIdentifier, jwt)).toEqual({ ...standing(entityIdentifier), status: 'revoked' });
    });

    it('falls with an entity that was enrolled after it got the mark', async () => {
      const type = await service.trustMarkType(authority);
      const { subject } = await service.trustMark(type);
      const jwt = await markOf(type, subject);
      const organisation = await service.organisation(authority);
      const entity = await service.entity(organisation, { entityIdentifier: subject }, 'pending');
      expect(await surfaces(type, subject, jwt)).toEqual(standing(subject));
      await transitionEntity(service.context(), entity.id, 'approve', 'fine');
      expect(await surfaces(type, subject, jwt)).toEqual(standing(subject));
      await transitionOrganisation(service.context(), organisation.id, 'suspend', 'incident');
      expect(await surfaces(type, subject, jwt)).toEqual(fallen);
      await transitionOrganisation(service.context(), organisation.id, 'reinstate', 'mended');
      await transitionEntity(service.context(), entity.id, 'suspend', 'incident');
      expect(await surfaces(type, subject, jwt)).toEqual(fallen);
    });

    it('is not concerned by what happens to the same identifier under another authority', async () => {
      const type = await service.trustMarkType(authority);
      const { subject } = await service.trustMark(type);
      const jwt = await markOf(type, subject);
      const elsewhere = await service.organisation(await service.authority());
      const entity = await service.entity(elsewhere, { entityIdentifier: subject });
      await transitionEntity(service.context(), entity.id, 'revoke', 'their business');
      expect(await surfaces(type, subject, jwt)).toEqual(standing(subject));
    });

    it('is revoked for good once it was withdrawn, also where a new one was granted', async () => {
      const type = await service.trustMarkType(authority);
      const mark = await service.trustMark(type);
      const jwt = await markOf(type, mark.subject);
      await transitionTrustMark(service.context(), mark.id, 'withdraw', 'audit failed');
      expect(await surfaces(type, mark.subject, jwt)).toEqual(fallen);
      await service.trustMark(type, mark.subject);
      expect(await surfaces(type, mark.subject, jwt)).toEqual({ ...standing(mark.subject), status: 'revoked' });
    });

    it('falls with its type, and comes back with it', async () => {
      const type = await service.trustMarkType(authority);
      const { subject } = await service.trustMark(type);
      const jwt = await markOf(type, subject);
      await transitionTrustMarkType(service.context(), type.id, 'retire', 'replaced');
      expect(await surfaces(type, subject, jwt)).toEqual(fallen);
      await transitionTrustMarkType(service.context(), type.id, 'reinstate', 'needed after all');
      expect(await surfaces(type, subject, jwt)).toEqual(standing(subject));
    });
  });
});
