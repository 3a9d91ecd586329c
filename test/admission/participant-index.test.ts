import { describe, expect, it } from 'vitest';
import { ParticipantIndex, RECORD_KINDS } from '../../src/admission/participant-index.ts';
import type { CertifiedKey, KnownRecords, RecordKind } from '../../src/registry/participants/known-participants.ts';
import { ANCHOR, API, CERTIFICATE, certificateWith, NOW, ORGANISATION, PARTICIPANT } from '../support/admission.ts';

type Records = { [Kind in RecordKind]: KnownRecords[Kind][] };

const ASSIGNMENT = {
  ...{ id: 'assignment', roleId: 'pisp', isRemoved: false, jurisdictions: ['GB'] },
  ...{ validFrom: null, validTo: 7 },
};
const ROLE = { id: 'pisp', name: 'PISP', isRetired: false };
const EXCEPTION = { id: 'exception', applicationId: PARTICIPANT.id, kind: 'no_mtls' as const, endsAt: 7 };

const SERVER = { id: API.authorizationServerId, issuer: 'https://as.example', retiresAt: null };
const POINT: KnownRecords['enforcement_point'] = {
  ...{ id: 'point', name: 'nginx', state: 'active', authorityId: PARTICIPANT.authorityId, mode: 'live' },
  ...{ environment: 'production', apiId: null, maxStalenessSeconds: 10, isTokenRequired: false },
  ...{ certificateHeader: 'nginx', tokenDigest: 'digest', clientX5tS256: 'client', allowSample: 0 },
};
const ISSUER = {
  ...{ id: 'issuer', authorityId: PARTICIPANT.authorityId, issuer: 'https://as.example', audiences: ['api'] },
  ...{ jwks: null, jwksUri: null, introspection: null, sealedSecret: null, acceptsUntypedTokens: false },
};

const CERTIFIED_KEY: CertifiedKey = {
  ...{ kid: 'certified', x5tS256: 'certified', spkiSha256: 'key of revoked', objection: null, x5c: [] },
  ...{ notBefore: NOW, notAfter: NOW + 1 },
};

/** A registry that is changed by hand. */
async function indexOf(changes: Partial<Records> = {}) {
  const records: Records = {
    organisation: [ORGANISATION],
    entity: [PARTICIPANT],
    role: [ROLE],
    role_assignment: [ASSIGNMENT],
    entity_exception: [EXCEPTION],
    credential: [CERTIFICATE],
    api_resource: [API],
    authority: [{ id: PARTICIPANT.authorityId, listedPurposes: [] }],
    trust_list_entry: [ANCHOR],
    authorization_server: [SERVER],
    enforcement_point: [POINT],
    token_issuer: [ISSUER],
    ...changes,
  };
  const index = new ParticipantIndex({
    read: async (kind, ids) => records[kind].filter(({ id }) => ids.includes(id)),
    async *readAll(kind) {
      for (const record of records[kind]) yield [record];
    },
    credentialKeys: async (credentialIds) => credentialIds.map((id) => `key of ${id}`),
  });
  await index.load(5);
  return { index, records };
}

const change = (subjectKind: string, subjectId: string, seq = 6) => ({ seq, subjectKind, subjectId });

describe('the index of participants', () => {
  it('finds what was read by whatever callers show', async () => {
    const { index } = await indexOf();
    const state = index.at(0.5, NOW);
    expect(state).toMatchObject({ seq: 5, ageSeconds: 0.5 });
    expect(state.certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId)).toEqual([CERTIFICATE]);
    expect(state.certificates('unheard-of', PARTICIPANT.authorityId)).toEqual([]);
    expect(state.application(PARTICIPANT.id)).toBe(PARTICIPANT);
    expect(state.applicationNamed(PARTICIPANT.authorityId, PARTICIPANT.entityIdentifier)).toBe(PARTICIPANT);
    expect(state.applicationNamed('another', PARTICIPANT.entityIdentifier)).toBeUndefined();
    expect(state.organisation(ORGANISATION.id)).toBe(ORGANISATION);
    expect(state.exceptions(PARTICIPANT.id)).toEqual([EXCEPTION]);
    expect(state.api(API.id)).toBe(API);
    expect(state.roles(PARTICIPANT)).toEqual([
      { roleId: 'pisp', name: 'PISP', jurisdictions: ['GB'], validFrom: null, validTo: 7 },
    ]);
  });

  it('has what enforcement points, authorization servers and trust lists say', async () => {
    const { authorityId } = PARTICIPANT;
    const introspection = { endpoint: 'https://as.example/introspect', clientId: 'we', isSigned: false };
    const other = { ...ISSUER, id: 'other', issuer: 'https://other.example', introspection };
    const certified = { ...POINT, id: 'certified', tokenDigest: null };
    const squatter = { ...POINT, id: 'squatter', authorityId: 'another', tokenDigest: 'its own' };
    const enforcement_point = [POINT, certified, squatter];
    const { index, records } = await indexOf({ token_issuer: [ISSUER, other], enforcement_point });
    const state = index.at(0, NOW);
    expect(state.enforcementPoint(POINT.id)).toBe(POINT);
    expect(state.enforcementPointOfToken('digest')).toBe(POINT);
    expect(state.enforcementPointOfClient('client')).toBe(certified);
    expect(state.enforcementPointOfToken('client')).toBeUndefined();
    expect(state.tokenIssuer(authorityId, ISSUER.issuer)).toBe(ISSUER);
    expect(state.tokenIssuer('another', ISSUER.issuer)).toBeUndefined();
    expect(state.introspectingIssuers(authorityId)).toEqual([other]);
    expect(state.isTransportListed(authorityId)).toBe(false);
    expect(state.isTransportListed('another')).toBe(true);
    expect(state.transportAnchor(authorityId, ANCHOR.x5tS256)).toBe(ANCHOR);
    expect(state.transportAnchor('another', ANCHOR.x5tS256)).toBeUndefined();

    records.enforcement_point = [{ ...POINT, tokenDigest: 'new', clientX5tS256: null }];
    records.trust_list_entry = [{ ...ANCHOR, purpose: 'signing' }];
    records.authority = [{ id: authorityId, listedPurposes: ['transport'] }];
    records.token_issuer = [];
    await index.follow([
      ...[change('enforcement_point', POINT.id), change('enforcement_point', certified.id)],
      change('trust_list_entry', ANCHOR.id),
      ...[change('authority', authorityId), change('token_issuer', ISSUER.id)],
    ]);
    const after = index.at(0, NOW);
    expect(after.enforcementPointOfToken('digest')).toBeUndefined();
    expect(after.enforcementPointOfClient('client')).toBeUndefined();
    expect(after.enforcementPointOfToken('new')?.id).toBe(POINT.id);
    expect(after.transportAnchor(authorityId, ANCHOR.x5tS256)).toBeUndefined();
    expect(after.isTransportListed(authorityId)).toBe(true);
    expect(after.tokenIssuer(authorityId, ISSUER.issuer)).toBeUndefined();
  });

  it('lets no API outlive its authorization server', async () => {
    const { index, records } = await indexOf({ authorization_server: [{ ...SERVER, retiresAt: 7 }] });
    expect(index.at(0, NOW).api(API.id)?.retiresAt).toBe(7);
    records.authorization_server = [];
    await index.follow([change('authorization_server', SERVER.id)]);
    expect(index.at(0, NOW).api(API.id)).toBeUndefined();
  });

  it.each([
    ['was taken from the organisation', { role_assignment: [{ ...ASSIGNMENT, isRemoved: true }] }],
    ['is retired', { role: [{ ...ROLE, isRetired: true }] }],
    ['is not there', { role: [] }],
    ['was never given', { role_assignment: [] }],
  ])('gives no role that %s', async (_, changes) => {
    const { index } = await indexOf(changes);
    expect(index.at(0, NOW).roles(PARTICIPANT)).toEqual([]);
  });

  it('takes over each kind of record when it changes, and the seq of the change', async () => {
    const { index, records } = await indexOf();
    records.organisation = [{ ...ORGANISATION, state: 'suspended' }];
    records.entity = [{ ...PARTICIPANT, name: 'Other', entityIdentifier: 'https://new.example' }];
    records.credential = [certificateWith({ life: { state: 'revoked' } })];
    records.entity_exception = [];
    await index.follow([
      change('organisation', ORGANISATION.id, 6),
      ...[change('entity', PARTICIPANT.id, 7), change('entity_exception', EXCEPTION.id, 7)],
      change('credential', CERTIFICATE.id, 8),
    ]);
    const state = index.at(0, NOW);
    expect(state.seq).toBe(8);
    expect(state.organisation(ORGANISATION.id)?.state).toBe('suspended');
    expect(state.applicationNamed(PARTICIPANT.authorityId, PARTICIPANT.entityIdentifier)).toBeUndefined();
    expect(state.applicationNamed(PARTICIPANT.authorityId, 'https://new.example')?.name).toBe('Other');
    expect(state.certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId).map(({ life }) => life.state)).toEqual([
      'revoked',
    ]);
    expect(state.exceptions(PARTICIPANT.id)).toEqual([]);
  });

  it('takes the seq of a change that concerns nobody here', async () => {
    const { index } = await indexOf();
    await index.follow([change('contact', 'any', 9)]);
    expect(index.at(0, NOW).seq).toBe(9);
  });

  it('keeps all of a change back if one part of it cannot be read', async () => {
    const { index, records } = await indexOf();
    records.organisation = [{ ...ORGANISATION, state: 'suspended' }];
    Object.defineProperty(records, 'credential', {
      get: () => {
        throw new Error('the connection is lost');
      },
    });
    const changes = [change('organisation', ORGANISATION.id), change('credential', CERTIFICATE.id)];
    await expect(index.follow(changes)).rejects.toThrow('the connection is lost');
    expect(index.at(0, NOW)).toMatchObject({ seq: 5 });
    expect(index.at(0, NOW).organisation(ORGANISATION.id)?.state).toBe('active');
  });

  it('has every record of a certificate that was registered again, the last one last', async () => {
    const [earlier, later] = [certificateWith({ id: '1' }), certificateWith({ id: '2' })];
    const { index, records } = await indexOf({ credential: [later, earlier] });
    expect(index.at(0, NOW).certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId)).toEqual([earlier, later]);
    records.credential = [earlier];
    await index.follow([change('credential', '2')]);
    expect(index.at(0, NOW).certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId)).toEqual([earlier]);
  });

  it('is not led astray by a record of the same certificate under another authority', async () => {
    const elsewhere = { ...PARTICIPANT, id: 'elsewhere', authorityId: 'another' };
    const copy = certificateWith({ id: 'copy', applicationId: elsewhere.id });
    const certified = { ...PARTICIPANT, certifiedKeys: [{ ...CERTIFIED_KEY, x5tS256: CERTIFICATE.x5tS256 }] };
    const { index } = await indexOf({ entity: [certified, elsewhere], credential: [copy], trust_list_entry: [] });
    const state = index.at(0, NOW);
    expect(state.certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId)).toMatchObject([
      { applicationId: PARTICIPANT.id },
    ]);
    expect(state.certificates(CERTIFICATE.x5tS256, 'another')).toEqual([copy]);
    expect(state.applicationsNamed(PARTICIPANT.entityIdentifier)).toEqual([certified, elsewhere]);
  });

  it.each([
    ['a credential of its key', change('credential', 'revoked')],
    ['its organisation', change('organisation', ORGANISATION.id)],
  ])('reads an application anew when what its key is judged by changes: %s', async (_, changed) => {
    const known = { ...CERTIFIED_KEY, x5tS256: 'certified' };
    const { index, records } = await indexOf({
      entity: [{ ...PARTICIPANT, certifiedKeys: [known] }],
      trust_list_entry: [],
    });
    const found = () => index.at(0, NOW).certificates('certified', PARTICIPANT.authorityId).length;
    expect(found()).toBe(1);
    records.entity = [{ ...PARTICIPANT, certifiedKeys: [{ ...known, objection: 'credential' }] }];
    await index.follow([change('credential', 'of another key')]);
    expect(found()).toBe(1);
    await index.follow([changed]);
    expect(found()).toBe(0);
  });

  it('gives the last of several records of one Entity Identifier: those before it have ended', async () => {
    const again = { ...PARTICIPANT, id: 'b' };
    const { index } = await indexOf({ entity: [again, { ...PARTICIPANT, id: 'a', state: 'revoked' }] });
    expect(index.at(0, NOW).applicationNamed(PARTICIPANT.authorityId, PARTICIPANT.entityIdentifier)).toBe(again);
  });

  it('shows nothing of a load before all of it is there, and forgets what is there no longer', async () => {
    const { index, records } = await indexOf();
    Object.defineProperty(records, 'api_resource', {
      get: () => {
        throw new Error('the connection is lost');
      },
      configurable: true,
    });
    records.credential = [];
    await expect(index.load(6)).rejects.toThrow('the connection is lost');
    expect(index.at(0, NOW)).toMatchObject({ seq: 5 });
    expect(index.at(0, NOW).certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId)).toEqual([CERTIFICATE]);

    Object.defineProperty(records, 'api_resource', { value: [API] });
    await index.load(6);
    expect(index.at(0, NOW)).toMatchObject({ seq: 6 });
    expect(index.at(0, NOW).certificates(CERTIFICATE.x5tS256, PARTICIPANT.authorityId)).toEqual([]);
  });

  it('follows what changes during a load after the load, and never goes back', async () => {
    const { index, records } = await indexOf();
    let following: Promise<void> | undefined;
    Object.defineProperty(records, 'api_resource', {
      get: () => {
        records.organisation = [{ ...ORGANISATION, state: 'suspended' }];
        following ??= index.follow([change('organisation', ORGANISATION.id, 8)]);
        return [API];
      },
    });
    await index.load(6);
    expect(index.at(0, NOW)).toMatchObject({ seq: 6 });
    expect(index.at(0, NOW).organisation(ORGANISATION.id)?.state).toBe('active');
    await following;
    expect(index.at(0, NOW).organisation(ORGANISATION.id)?.state).toBe('suspended');
    expect(index.at(0, NOW).seq).toBe(8);
    await index.load(7);
    await index.follow([change('organisation', ORGANISATION.id, 7)]);
    expect(index.at(0, NOW).seq).toBe(8);
  });

  it('counts what it holds', async () => {
    const { index } = await indexOf();
    expect(index.sizes).toEqual(Object.fromEntries(RECORD_KINDS.map((kind) => [kind, 1])));
  });
});
