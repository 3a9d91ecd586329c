import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE, TYP } from '../../../src/federation/media-types.ts';
import { parseSignedJwt, verifySignature } from '../../../src/federation/signature.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { removeEntityKey } from '../../../src/registry/entities/keys/remove-entity-key.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { claimsOf, headerOf, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { freshIdentifier, freshJwks } from '../../support/registry.ts';
import { type Query, startTestService, type TestService, urlOf } from '../../support/service.ts';

interface Event {
  iat: number;
  event: string;
  event_description?: string;
}

describe.each(DATABASE_KINDS)('subordinate events on the %s database', (kind) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(kind);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  async function history(of: Authority, sub: string): Promise<Event[]> {
    const jwt = await jwtOf(await service.ask(of, 'subordinateEvents', { sub }), MEDIA_TYPE.entityEvents);
    return claimsOf(jwt)['federation_registration_events'] as Event[];
  }

  async function names(of: Authority, sub: string): Promise<string[]> {
    return (await history(of, sub)).map(({ event }) => event);
  }

  /** Whoever changes something does so a minute later each time. */
  function later() {
    service.clock.advance(60);
    return service.context();
  }

  it('[EVENTS-1] [EVENTS-2] answers with a signed JWT of its own type about the subject', async () => {
    const authority = await service.authority();
    const { entityIdentifier } = await service.entity(await service.organisation(authority));
    const response = await service.ask(authority, 'subordinateEvents', { sub: entityIdentifier });
    const jwt = await jwtOf(response, 'application/entity-events-statement+jwt');
    expect(headerOf(jwt)['typ']).toBe('entity-events-statement+jwt');
    await verifySignature(parseSignedJwt(jwt, TYP.entityEvents), await service.jwks(authority));
    const now = service.clock.now();
    expect(claimsOf(jwt)).toEqual({
      iss: authority.entityIdentifier,
      sub: entityIdentifier,
      iat: now,
      exp: now + authority.statementLifetimeSeconds,
      federation_registration_events: [{ iat: expect.any(Number), event: 'registration' }],
    });
    const configuration = claimsOf(await (await service.ask(authority, 'configuration')).text());
    expect(configuration).toMatchObject({
      metadata: {
        federation_entity: { federation_subordinate_events_endpoint: urlOf(authority, 'subordinateEvents') },
      },
    });
  });

  it('[EVENTS-1] needs sub, once, and an Entity Identifier', async () => {
    const authority = await service.authority();
    const queries: Query[] = [{}, { sub: '' }, { sub: ['https://a.example', 'https://b.example'] }, { sub: 'nobody' }];
    for (const query of queries) {
      expect(await refusalIn(await service.ask(authority, 'subordinateEvents', query))).toBe('400 invalid_request');
    }
  });

  it('[EVENTS-4] tells what happened, when and why, in order', async () => {
    const authority = await service.authority();
    const organisation = await service.organisation(authority);
    const { id, entityIdentifier } = await service.entity(organisation, { jwks: await freshJwks(2) }, 'pending');
    const start = service.clock.now();
    const minute = (minutes: number) => start + 60 * minutes;
    await transitionEntity(later(), id, 'approve', 'not for everybody to read');
    await updateEntity(later(), id, { metadata: { openid_relying_party: { contacts: ['a@partner.example'] } } });
    await updateEntity(later(), id, { metadataPolicy: { openid_relying_party: { contacts: { essential: true } } } });
    const { keys } = await updateEntity(later(), id, { statementLifetimeSeconds: 900 });
    await removeEntityKey(later(), id, { kid: keys[0]?.jwk.kid ?? '', reason: 'old' });
    await transitionEntity(later(), id, 'suspend', 'incident 7');
    await transitionEntity(later(), id, 'reinstate', 'mended');
    await transitionEntity(later(), id, 'revoke', 'fraud');
    expect(await history(authority, entityIdentifier)).toEqual([
      { iat: minute(1), event: 'registration' },
      { iat: minute(2), event: 'metadata_update' },
      { iat: minute(3), event: 'metadata_policy_update' },
      { iat: minute(5), event: 'jwks_update', event_description: 'old' },
      { iat: minute(6), event: 'suspension', event_description: 'incident 7' },
      { iat: minute(7), event: 'reinstatement', event_description: 'mended' },
      { iat: minute(8), event: 'revocation', event_description: 'fraud' },
    ]);
  });

  it('[EVENTS-4] tells what befell the organisation, but not twice what both suffered', async () => {
    const authority = await service.authority();
    const organisation = await service.organisation(authority);
    const { id, entityIdentifier } = await service.entity(organisation);
    await transitionEntity(later(), id, 'suspend', 'incident');
    await transitionOrganisation(later(), organisation.id, 'suspend', 'contract ended');
    await updateOrganisation(later(), organisation.id, { legalName: 'Another name' });
    await transitionEntity(later(), id, 'reinstate', 'mended');
    await transitionOrganisation(later(), organisation.id, 'reinstate', 'renewed');
    await transitionOrganisation(later(), organisation.id, 'withdraw', 'left');
    expect((await history(authority, entityIdentifier)).map((one) => [one.event, one.event_description])).toEqual([
      ['registration', undefined],
      ['suspension', 'incident'],
      ['reinstatement', 'renewed'],
      ['withdrawal', 'left'],
    ]);
  });

  it('[EVENTS-4] tells of a default policy that changed for all, and of none that was there before', async () => {
    const authority = await service.authority();
    const policyOf = (value: string) => ({ openid_relying_party: { contacts: { add: [value] } } });
    await updateAuthority(later(), authority.id, { defaultMetadataPolicy: policyOf('a') });
    const { entityIdentifier } = await service.entity(await service.organisation(authority));
    await updateAuthority(later(), authority.id, { defaultMetadataPolicy: policyOf('b') });
    await updateAuthority(later(), authority.id, { name: 'Another name' });
    expect(await names(authority, entityIdentifier)).toEqual(['registration', 'metadata_policy_update']);
  });

  it("[EVENTS-4] does not tell of metadata that is the authority's own", async () => {
    const authority = await service.authority();
    const { entityIdentifier } = await service.entity(await service.organisation(authority));
    await updateAuthority(later(), authority.id, {
      metadata: { contacts: ['new@authority.example'] },
      defaultMetadataPolicy: { openid_relying_party: { contacts: { add: ['a'] } } },
    });
    expect(await names(authority, entityIdentifier)).toEqual(['registration', 'metadata_policy_update']);
  });

  it('[EVENTS-3] tells no updates for the moment of a registration', async () => {
    const authority = await service.authority();
    const { id, entityIdentifier } = await service.entity(await service.organisation(authority), {}, 'pending');
    const context = later();
    await transitionEntity(context, id, 'approve', 'fine');
    await updateEntity(context, id, { metadata: { openid_relying_party: { contacts: ['b@partner.example'] } } });
    expect(await names(authority, entityIdentifier)).toEqual(['registration']);
  });

  it('goes on after an entity left and came back', async () => {
    const authority = await service.authority();
    const organisation = await service.organisation(authority);
    const { id, entityIdentifier } = await service.entity(organisation);
    await transitionEntity(later(), id, 'withdraw', 'moved');
    expect(await names(authority, entityIdentifier)).toEqual(['registration', 'withdrawal']);
    const again = await service.entity(organisation, { entityIdentifier }, 'pending');
    expect(await names(authority, entityIdentifier)).toEqual(['registration', 'withdrawal']);
    await transitionEntity(later(), again.id, 'approve', 'fine');
    expect(await names(authority, entityIdentifier)).toEqual(['registration', 'withdrawal', 'registration']);
  });

  it('[EVENTS-5] knows nobody who was never registered here', async () => {
    const authority = await service.authority();
    const organisation = await service.organisation(authority);
    const pending = await service.entity(organisation, {}, 'pending');
    const rejected = await service.entity(organisation, {}, 'rejected');
    const other = await service.authority();
    const elsewhere = await service.entity(await service.organisation(other));
    const unknown = [pending, rejected, elsewhere].map(({ entityIdentifier }) => entityIdentifier);
    for (const sub of [...unknown, freshIdentifier('nobody'), authority.entityIdentifier]) {
      expect(await refusalIn(await service.ask(authority, 'subordinateEvents', { sub }))).toBe('404 not_found');
    }
    await transitionEntity(service.context(), pending.id, 'approve', 'fine');
    expect(await names(authority, pending.entityIdentifier)).toEqual(['registration']);
  });

  it('says the same after a restart, and is signed anew before it expires', async () => {
    const authority = await service.authority();
    const { id, entityIdentifier } = await service.entity(await service.organisation(authority));
    await transitionEntity(later(), id, 'suspend', 'incident');
    const before = await history(authority, entityIdentifier);
    await service.restart();
    expect(await history(authority, entityIdentifier)).toEqual(before);
    service.clock.advance(authority.statementLifetimeSeconds);
    expect(await history(authority, entityIdentifier)).toEqual(before);
  });
});
