import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExportDocument, federationDocument } from '../../../scripts/bench/samples/federation-document.ts';
import type { JsonObject, JsonValue } from '../../../src/federation/json.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';
import { readDocument } from '../../../src/registry/transfer/import-document.ts';
import { type ImportOutcome, importRegistry } from '../../../src/registry/transfer/import-registry.ts';
import type { KindName } from '../../../src/registry/transfer/record-kind.ts';
import { tryRestore } from '../../../src/registry/transfer/stored-imports.ts';
import { authorityRecords, organisationRecords } from '../../support/api-places.ts';
import { type ApiService, startApi } from '../../support/api-service.ts';
import { testKey } from '../../support/keys.ts';
import { actor, nextId } from '../../support/registry.ts';
import { exportedDocument } from '../../support/transfer-documents.ts';

let api: ApiService;
let authority: JsonObject;
let whole: ExportDocument;
beforeAll(async () => {
  api = await startApi();
  const { id } = await api.service.authority();
  const made = await api.service.authority();
  await organisationRecords(api, made, await authorityRecords(api, made));
  whole = await exportedDocument(api.service.db, actor());
  authority = whole.records.authorities?.find((record) => record['id'] === id) ?? {};
});
afterAll(() => api[Symbol.asyncDispose]());

async function imported(document: ExportDocument, isDryRun = false): Promise<ImportOutcome> {
  const read = await readDocument(document as unknown as JsonValue);
  return await importRegistry(api.service.context(), read, { isDryRun, digest: 'x' });
}

/** Where it is refused, and nothing has changed. */
async function refusals(document: ExportDocument): Promise<string[]> {
  const seq = await api.service.seq();
  const error = await imported(document).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(RegistryError);
  expect(await api.service.seq()).toBe(seq);
  return ((error as RegistryError).details.errors ?? []).map(({ pointer }) => pointer);
}

const first = (document: ExportDocument, kind: KindName, index = 0): JsonObject =>
  document.records[kind]?.[index] ?? {};

describe('an import', () => {
  it('lists every record that is wrong, and applies none', async () => {
    const document = await federationDocument(12, authority);
    Object.assign(first(document, 'organisations'), { legalName: '' });
    Object.assign(first(document, 'entities', 3), { mode: 'live', unknown: true });
    Object.assign(first(document, 'credentials', 7), { usage: 'none' });
    expect(await refusals(document)).toEqual([
      '/records/organisations/0/legalName',
      '/records/entities/3',
      '/records/credentials/7/usage',
    ]);
  });

  it('holds the rules of the verbs, each record at its place', async () => {
    const document = await federationDocument(12, authority);
    const { privateJwk } = await testKey('ES256', 77);
    const kid = String(privateJwk.kid);
    Object.assign(first(document, 'entities', 1), { keys: [keyRow(kid, privateJwk as unknown as JsonObject)] });
    Object.assign(first(document, 'entities', 2), { entityIdentifier: 'http://insecure.example' });
    Object.assign(first(document, 'roleAssignments'), { jurisdictions: ['XX'] });
    const places = await refusals(document);
    expect(places).toHaveLength(3);
    expect(places.map((place) => place.split('/').slice(0, 4).join('/'))).toEqual([
      ...['/records/entities/1', '/records/entities/2', '/records/roleAssignments/0'],
    ]);
  });

  it('lets no record name one of another authority, or none', async () => {
    const document = await federationDocument(1, authority);
    const theirs = whole.records.organisations?.find((record) => record['authorityId'] !== authority['id']);
    Object.assign(first(document, 'entities'), { organisationId: theirs?.['id'] ?? '' });
    Object.assign(first(document, 'contacts'), { organisationId: nextId() });
    expect(await refusals(document)).toEqual(
      expect.arrayContaining(['/records/entities/0/organisationId', '/records/contacts/0/organisationId']),
    );
  });

  it('lists what stands against other records, here and in the document', async () => {
    const before = await federationDocument(1, authority);
    await imported(before);
    const document = await federationDocument(3, authority);
    const identifier = first(before, 'entities')['entityIdentifier'] ?? '';
    Object.assign(first(document, 'entities'), { entityIdentifier: identifier });
    Object.assign(first(document, 'entities', 2), {
      entityIdentifier: first(document, 'entities', 1)['entityIdentifier'] ?? '',
    });
    expect(await refusals(document)).toEqual(['/records/entities/0', '/records/entities/2']);
    const stolen = await federationDocument(1, authority);
    Object.assign(first(stolen, 'credentials'), { publicJwk: first(before, 'credentials')['publicJwk'] ?? null });
    expect(await refusals(stolen)).toEqual(['/records/credentials/0']);
  });

  it('widens nobody who is here: that is told, and for a restore', async () => {
    const [entity, other] = [whole.records.entities?.find(isActive) ?? {}, await federationDocument(1, authority)];
    const mine = {
      ...first(other, 'credentials'),
      authorityId: entity['authorityId'] ?? '',
      entityId: entity['id'] ?? '',
    };
    const changed = { ...entity, name: 'Another name', state: { ...(entity['state'] as JsonObject), reason: 'mine' } };
    const outcome = await imported(
      { format: whole.format, records: { entities: [changed], credentials: [mine] } },
      true,
    );
    expect(outcome.differences.map(({ kind, what }) => [kind, what])).toEqual([
      ['entities', 'changed'],
      ['credentials', 'held_back'],
    ]);
    expect(outcome.differences[0]?.members.map(({ member, how }) => [member, how])).toEqual(
      expect.arrayContaining([
        ['name', 'changed'],
        ['state', 'restore_only'],
      ]),
    );
  });

  it('leaves what takes two people, and who was closed elsewhere, to a restore', async () => {
    const { records } = await federationDocument(1, authority);
    const [entity, organisation, role] = [records.entities?.[0], records.organisations?.[0], records.roles?.[0]];
    const exception = {
      ...{ id: nextId(), authorityId: authority['id'] ?? '', entityId: entity?.['id'] ?? '', kind: 'no_mtls' },
      ...{ reason: 'an old client', ownerId: 'carol', ownerName: 'Carol', requesterId: 'bob', requesterName: 'Bob' },
      ...{ approver: null, state: { is: 'pending', reason: null, since: '2025-03-01T08:00:00.000Z' } },
      ...{ endsAt: '2025-03-20T08:00:00.000Z', createdAt: '2025-03-01T08:00:00.000Z' },
    };
    const revoked = { ...(organisation?.['state'] as JsonObject), is: 'revoked' };
    const closed = { ...organisation, id: nextId(), registration: null, state: revoked } as JsonObject;
    const outcome = await imported(
      {
        format: whole.format,
        records: {
          ...records,
          organisations: [...(records.organisations ?? []), closed],
          roles: [{ ...role, approvals: 2 }],
          exceptions: [exception],
        },
      },
      true,
    );
    const held = outcome.differences.filter(({ what }) => what === 'held_back').map(({ kind, id }) => [kind, id]);
    expect(held).toEqual([
      ['organisations', closed['id']],
      ['entityRoles', records.entityRoles?.[0]?.['id']],
      ['exceptions', exception.id],
    ]);
  });

  it('takes no key of an authority that would vouch for what comes', async () => {
    const [key] = (whole.records.authorities?.[0]?.['keys'] ?? []) as JsonObject[];
    const revoked = { ...key, revokedAt: '2999-01-01T00:00:00.000Z', revocationReason: 'compromised' };
    const stranger = { ...authority, id: nextId(), entityIdentifier: 'https://stranger.example', keys: [revoked] };
    const places = await refusals({ format: whole.format, records: { authorities: [stranger] } });
    expect(places).toEqual(['/records/authorities/0/keys/0/revokedAt']);
  });

  it('tells of records without a name by those that they are about', async () => {
    const { records, format } = await federationDocument(1, authority);
    const [entity, organisation] = [
      first({ format, records }, 'entities'),
      first({ format, records }, 'organisations'),
    ];
    const { differences } = await imported({ format, records }, true);
    const nameOf = (wanted: KindName) => differences.find(({ kind }) => kind === wanted)?.name;
    expect(nameOf('roleAssignments')).toBe(`payments of ${organisation['legalName']}`);
    expect(nameOf('entityRoles')).toBe(`payments of ${entity['entityIdentifier']}`);
    expect(nameOf('credentials')).toBe(`transport key of ${entity['entityIdentifier']}`);
  });

  it('never changes who somebody is', async () => {
    const entity = whole.records.entities?.find(isActive) ?? {};
    const changed = { ...entity, entityIdentifier: 'https://somebody-else.example' };
    expect(await refusals({ format: whole.format, records: { entities: [changed] } })).toEqual([
      '/records/entities/0/entityIdentifier',
    ]);
  });

  it('refuses circles', async () => {
    const document = await federationDocument(12, authority);
    const [one, two] = [first(document, 'organisations'), first(document, 'organisations', 1)];
    Object.assign(one, { parentId: two['id'] ?? null });
    Object.assign(two, { parentId: one['id'] ?? null });
    expect(await refusals(document)).toEqual(['/records/organisations/0/parentId']);
  });

  it('takes whatever stands in a member, or refuses the document: nothing else happens', async () => {
    const strange: JsonValue[] = [null, -1, '', 'x', [], {}, [{}], '9999-12-31T23:59:59.999Z', nextId()];
    let tried = 0;
    for (const [kind, records] of Object.entries(whole.records)) {
      const [record] = records;
      for (const [index, member] of Object.keys(record ?? {}).entries()) {
        const value = strange[(index + tried) % strange.length] ?? null;
        const document = {
          format: whole.format,
          records: { ...whole.records, [kind]: [{ ...record, [member]: value }] },
        };
        const outcome = await readDocument(document as unknown as JsonValue)
          .then((read) => tryRestore(api.service.context(), read))
          .catch((caught: unknown) => caught);
        if (outcome instanceof Error) expect(outcome, `${kind} ${member}`).toBeInstanceOf(RegistryError);
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(150);
  }, 60_000);
});

function isActive(record: JsonObject): boolean {
  return (record['state'] as { is: string }).is === 'active';
}

function keyRow(kid: string, publicJwk: JsonObject): JsonObject {
  return {
    ...{ kid, publicJwk, position: 0, expiresAt: null, addedAt: '2025-03-01T08:00:00.000Z', source: 'enrolment' },
    ...{ removedAt: null, removal: null, compromisedAt: null, compromiseReason: null },
  };
}
