import { hash, X509Certificate } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../../../../src/admission/admission.ts';
import { addCredential } from '../../../../src/registry/credentials/add-credential.ts';
import { verifyDecisions } from '../../../../src/registry/decisions/verify-decisions.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { createToken } from '../../../../src/registry/tokens/create-token.ts';
import { ApiClient } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import { clientCertificate } from '../../../support/credentials.ts';
import { dumpOf, knownPoint, testPoint } from '../../../support/evidence.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;

const authority = await service.authority();
const point = await testPoint(service, authority, { allowSample: 1 });
const silent = await testPoint(service, authority, { allowSample: 0 });

/** A member with a certificate that it is known by. */
async function member() {
  const organisation = await service.organisation(authority);
  const entity = await service.entity(organisation);
  const { certificate } = clientCertificate();
  await addCredential(service.context(), entity.id, { usage: 'transport', material: { certificate } });
  const x5tS256 = hash('sha256', new X509Certificate(certificate).raw, 'base64url');
  return { organisation, entity, certificate, x5tS256 };
}

const good = await member();
const bad = await member();
await transitionEntity(service.context(), bad.entity.id, 'suspend', 'an incident');
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.secret-of-a-partner.signature';

async function ask(at: { id: string }, request: AdmissionRequest): Promise<string> {
  return (await service.admission.ask(knownPoint(service, at), request)).decision;
}

const firstAsked = service.clock.now();
expect(await ask(point, { certificate: good })).toBe('allow');
expect(await ask(silent, { certificate: good })).toBe('allow');
service.clock.advance(1);
for (let times = 0; times < 3; times++) expect(await ask(point, { certificate: bad, token: TOKEN })).toBe('deny');
service.clock.advance(1);
expect(await ask(silent, { certificate: { x5tS256: 'x'.repeat(43) } })).toBe('deny');
service.clock.advance(60);
expect(await ask(point, { certificate: 'none', token: TOKEN })).toBe('deny');
await service.evidence.save();

async function listed(query: Record<string, string>, client = api.auditor) {
  const { status, body } = await client.get(`/api/v1/decisions?${new URLSearchParams(query)}`);
  expect(status).toBe(200);
  return body.items.map(({ decision, reasons, count }: { decision: string; reasons: string[]; count: number }) => {
    return [decision, ...reasons, count].join(' ');
  });
}

const cursorAt = (moment: string) => Buffer.from(`${moment} ${authority.id} 0`).toString('base64url');

describe('[F45] every deny, and of the allows as many as the enforcement point says, is found', () => {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

  it.each<{ by: string; query: Record<string, string>; found: unknown[] }>([
    {
      by: 'authority, the latest first',
      query: { authorityId: authority.id },
      found: ['deny certificate_missing 1', 'deny unknown_participant 1', 'deny suspended 3', 'allow 1'],
    },
    { by: 'participant', query: { entityId: bad.entity.id }, found: ['deny suspended 3'] },
    { by: 'organisation', query: { organisationId: good.organisation.id }, found: ['allow 1'] },
    { by: 'reason', query: { reason: 'suspended' }, found: ['deny suspended 3'] },
    { by: 'decision', query: { decision: 'allow' }, found: ['allow 1'] },
    { by: 'enforcement point', query: { enforcementPointId: silent.id }, found: ['deny unknown_participant 1'] },
    { by: 'time, from then on', query: { from: iso(firstAsked + 60) }, found: ['deny certificate_missing 1'] },
    { by: 'time, before', query: { to: iso(firstAsked) }, found: [] },
  ])('by $by', async ({ query, found }) => {
    expect(await listed(query)).toEqual(found);
  });

  it.each([
    'from=0000-01-01T00:00:00Z',
    'to=yesterday',
    'reason=x',
    'decision=maybe',
    'entityId=x',
    `cursor=${cursorAt('0000-01-01T00:00:00.000Z')}`,
    `cursor=${cursorAt('2027-02-31T00:00:00.000Z')}`,
    'more=x',
  ])('but not by %s', async (query) => {
    const { status, body } = await api.auditor.get(`/api/v1/decisions?${query}`);
    expect([status, body.code]).toEqual([400, 'validation_failed']);
  });

  it('page by page', async () => {
    const all: unknown[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await api.auditor.get(`/api/v1/decisions?limit=1${cursor}`);
      all.push(...body.items);
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    const { body } = await api.auditor.get('/api/v1/decisions');
    expect(all).toEqual(body.items);
    expect(all).toHaveLength(4);
  });

  it('by members as far as it is about them', async () => {
    const reach = { roles: ['technical-contact' as const], organisationIds: [bad.organisation.id], authorityIds: null };
    const { secret } = await createToken(service.context(), { name: 'm', ...reach, lifetimeSeconds: 3600 });
    const client = new ApiClient(service.app, { authorization: `Bearer ${secret}` });
    expect(await listed({}, client)).toEqual(['deny suspended 3']);
  });
});

it('[F45] nothing that was shown is kept, nor anything about a person: hashes and ids alone', async () => {
  const tokenHash = hash('sha256', TOKEN, 'base64url');
  // Whoever was denied before anybody looked at it.
  expect(await dumpOf(service.db, 'decisions')).not.toContain(tokenHash);
  expect(await ask(point, { certificate: good, token: TOKEN })).toBe('deny');
  await service.evidence.save();
  const dump = await dumpOf(service.db, 'decisions');
  expect(dump).toContain(tokenHash);
  expect(dump).toContain(bad.x5tS256);
  for (const part of TOKEN.split('.')) expect(dump).not.toContain(part);
  const base64 = new X509Certificate(bad.certificate).raw.toString('base64');
  for (const secret of ['BEGIN', base64.slice(0, 40), point.token, bad.entity.entityIdentifier, 'Partner Ltd']) {
    expect(dump).not.toContain(secret);
  }
});

it('[F45] what was noted before a stop is there after it, in a chain that is whole', async () => {
  await ask(point, { certificate: bad });
  await service.restart();
  await ask(point, { certificate: bad });
  await service.restart();
  expect(await listed({ entityId: bad.entity.id })).toEqual([
    'deny suspended 1',
    'deny suspended 1',
    'deny suspended 3',
  ]);
  const { chains, findings } = await verifyDecisions(service.db);
  expect(chains).toBe(2);
  expect(findings).toEqual([]);
});
