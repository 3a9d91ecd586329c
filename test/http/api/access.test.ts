/** Every operation by every role: what is in reach is answered, what is not looks as if it did not exist. */
import { afterAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/http/api/operations.ts';
import { ACCESS, type Access, accessOf } from '../../../src/registry/access.ts';
import { readEntityKeys } from '../../../src/registry/entities/keys/read-entity-keys.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { createToken } from '../../../src/registry/tokens/create-token.ts';
import { makeEntityToken } from '../../../src/registry/tokens/entity-token.ts';
import type { Role } from '../../../src/storage/schema/api-tokens.ts';
import { type ApiAnswer, ApiClient } from '../../support/api-client.ts';
import { authorityRecords, missingIds, organisationRecords, recordsAt } from '../../support/api-places.ts';
import {
  API_OPERATIONS,
  type ApiOperation,
  type ApiRequest,
  type RecordIds,
  requestOf,
} from '../../support/api-requests.ts';
import { startApi } from '../../support/api-service.ts';
import { actor, NOW_DATE } from '../../support/registry.ts';
import { FIRST_ADMIN_SECRET } from '../../support/service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;

const ours = await service.authority();
const theirs = await service.authority();
const ofOurs = await authorityRecords(api, ours);
const ofTheirs = await authorityRecords(api, theirs);
const own = await organisationRecords(api, ours, ofOurs);
const organisation = await readOrganisation(service.db, actor(), own['organisationId'] ?? '');
const sibling = await service.entity(organisation);

/** Where records are, as seen by a member of the organisation `own`. */
const PLACES = {
  own: recordsAt(ofOurs, own),
  otherOrganisation: recordsAt(ofOurs, await organisationRecords(api, ours, ofOurs)),
  otherAuthority: recordsAt(ofTheirs, await organisationRecords(api, theirs, ofTheirs)),
} as const satisfies Record<string, RecordIds>;

type Place = keyof typeof PLACES;

const MISSING = missingIds(PLACES.own);

interface Caller {
  name: string;
  role: Role;
  /** Where it sees records. */
  sees: readonly Place[];
  isOfEntity?: boolean;
  isOfEverything?: boolean;
  client: ApiClient;
}

async function callerOf(role: Role, name: string, sees: readonly Place[], secret: string): Promise<Caller> {
  return { name, role, sees, client: new ApiClient(service.app, { authorization: `Bearer ${secret}` }) };
}

async function secretOf(role: Role, reach: { authorityIds?: string[]; organisationIds?: string[] }): Promise<string> {
  const input = { name: role, roles: [role], authorityIds: null, lifetimeSeconds: 86_400, ...reach };
  return (await createToken(service.context(), input)).secret;
}

async function entitySecret(): Promise<string> {
  const entityId = PLACES.own['entityId'] ?? '';
  const [key] = (await readEntityKeys(service.db, actor(), entityId)).keys;
  return await makeEntityToken(service.db, entityId, { kid: key?.kid ?? '' }, NOW_DATE);
}

const OURS: readonly Place[] = ['own', 'otherOrganisation'];
const EVERYWHERE: readonly Place[] = [...OURS, 'otherAuthority'];
const authorityIds = [ours.id];
const organisationIds = [PLACES.own['organisationId'] ?? ''];

const CALLERS: readonly Caller[] = [
  await callerOf('admin', 'admin', OURS, await secretOf('admin', { authorityIds })),
  await callerOf('registrar', 'registrar', OURS, await secretOf('registrar', { authorityIds })),
  await callerOf('approver', 'approver', OURS, await secretOf('approver', { authorityIds })),
  await callerOf('auditor', 'auditor', OURS, await secretOf('auditor', { authorityIds })),
  await callerOf(
    'organisation-admin',
    'organisation-admin',
    ['own'],
    await secretOf('organisation-admin', { organisationIds }),
  ),
  await callerOf(
    'technical-contact',
    'technical-contact',
    ['own'],
    await secretOf('technical-contact', { organisationIds }),
  ),
  { ...(await callerOf('technical-contact', 'the entity itself', ['own'], await entitySecret())), isOfEntity: true },
  {
    ...(await callerOf('admin', 'admin of everything', EVERYWHERE, await secretOf('admin', {}))),
    isOfEverything: true,
  },
  {
    ...(await callerOf('auditor', 'auditor of everything', EVERYWHERE, await secretOf('auditor', {}))),
    isOfEverything: true,
  },
];

/** `forbidden`: 403 whatever is named; `hidden`: as if it did not exist; `open`: 2xx, or what its state makes of it. */
type Outcome = 'forbidden' | 'hidden' | 'open';

function expected({ roles, reach }: Access, { asks }: ApiOperation, caller: Caller, place: Place): Outcome {
  if (reach === 'anyone') return 'open';
  if (!roles.includes(caller.role)) return 'forbidden';
  if (caller.isOfEntity && reach !== 'entity' && reach !== 'caller') return 'forbidden';
  if (reach === 'deployment') return caller.isOfEverything ? 'open' : 'forbidden';
  if (reach === 'caller') return 'open';
  // A list asks for an authority, and shows of it what is in reach.
  const seen = asks === 'nothing' || (asks === 'authority' && place === 'otherOrganisation') ? 'own' : place;
  return caller.sees.includes(seen) ? 'open' : 'hidden';
}

function ask({ client }: Caller, { method, path, body }: ApiRequest): Promise<ApiAnswer> {
  // Of a version that no record has: what is let in changes nothing, where it can be told so.
  const headers = { 'if-match': '"999"', 'x-request-id': 'r' };
  return client.send(method, path, { body, headers });
}

/** The answer with the ids that were asked for in place of those that no record has. */
function asIfFor(ids: RecordIds, { status, body }: ApiAnswer) {
  let text = JSON.stringify(body);
  for (const [name, missing] of Object.entries(MISSING)) text = text.replaceAll(`${missing}`, ids[name] ?? missing);
  return { status, body: JSON.parse(text) };
}

/** Ids of records out of the caller's reach that the request does not name. */
function foreignIds(caller: Caller, request: ApiRequest): string[] {
  const named = JSON.stringify(request);
  const seen = caller.sees.flatMap((place) => Object.values(PLACES[place]));
  const all = EVERYWHERE.flatMap((place) => Object.values(PLACES[place]));
  return all.filter((id) => id.length > 8 && !seen.includes(id) && !named.includes(id));
}

const CELLS = API_OPERATIONS.flatMap((operation) => {
  const access = accessOf(operation.operationId);
  return CALLERS.map((caller) => ({ operation, access, caller, title: `${operation.operationId} by ${caller.name}` }));
});

describe('F03 the table of access', () => {
  it('says of each operation who may ask for it, and of nothing else', () => {
    expect(Object.keys(ACCESS).sort()).toEqual(API_OPERATIONS.map(({ operationId }) => operationId).sort());
  });

  it.each(OPERATIONS.map(({ route }) => route))('is what the documentation of $operationId says', (route) => {
    const { operationId = '', description = '', security } = route;
    const { roles, reach } = accessOf(operationId) ?? { roles: [], reach: 'anyone' };
    expect(security).toEqual(reach === 'anyone' ? [] : [{ bearer: [] }]);
    const [sentence = ''] = /Needs [^.]*\.$/.exec(description) ?? [];
    const named = new Set([...sentence.matchAll(/`([a-z-]+)`/g)].map(([, role]) => role));
    expect([...named]).toEqual([...roles]);
  });

  it('lets members approve and reinstate nothing', () => {
    const decisions = Object.entries(ACCESS).filter(([name]) => /^(?:approve|reject|suspend|reinstate)/.test(name));
    expect(decisions.length).toBeGreaterThan(0);
    const members: readonly Role[] = ['organisation-admin', 'technical-contact'];
    for (const [, { roles }] of decisions) expect(roles.filter((role) => members.includes(role))).toEqual([]);
  });
});

/** The first admin token makes the first admin, and says what it is. */
const OPEN_TO_FIRST_ADMIN = ['createToken', 'whoAmI'];

describe('F03 refused', () => {
  it.each(CELLS)('$title', async ({ operation, access, caller }) => {
    if (access === undefined) throw new Error(`${operation.operationId} is not in ACCESS`);
    const seq = await service.seq();
    let missing: ApiAnswer | undefined;
    for (const place of EVERYWHERE) {
      const outcome = expected(access, operation, caller, place);
      if (outcome === 'open') continue;
      const ids = PLACES[place];
      const request = requestOf(operation, ids);
      const answer = await ask(caller, request);
      const about = `${caller.name}, ${operation.operationId}, ${place}`;
      if (outcome === 'forbidden') expect([answer.status, answer.body.code], about).toEqual([403, 'role_missing']);
      else expect(answer.status, about).toBe(operation.operationId === 'createToken' ? 400 : 404);
      missing ??= await ask(caller, requestOf(operation, MISSING));
      expect({ status: answer.status, body: answer.body }, about).toEqual(asIfFor(ids, missing));
    }
    expect(await service.seq()).toBe(seq);
  });

  it.each(API_OPERATIONS.filter(({ operationId }) => !OPEN_TO_FIRST_ADMIN.includes(operationId)))(
    '$operationId, to the first admin token, which has no role',
    async (operation) => {
      if (accessOf(operation.operationId)?.reach === 'anyone') return;
      const client = new ApiClient(service.app, { authorization: `Bearer ${FIRST_ADMIN_SECRET}` });
      const { method, path, body } = requestOf(operation, PLACES.own);
      const answer = await client.send(method, path, { body, headers: { 'if-match': '"999"' } });
      expect([answer.status, answer.body.code]).toEqual([403, 'role_missing']);
    },
  );

  it('another entity of the same organisation, to the token of an entity', async () => {
    const caller = CALLERS.find(({ isOfEntity }) => isOfEntity);
    if (caller === undefined) throw new Error('no caller is an entity');
    for (const operation of API_OPERATIONS.filter(({ path }) => path.includes('{entityId}'))) {
      const answer = await ask(caller, requestOf(operation, { ...PLACES.own, entityId: sibling.id }));
      const isOpen = accessOf(operation.operationId)?.roles.includes('technical-contact');
      expect(answer.status, operation.operationId).toBe(isOpen ? 404 : 403);
    }
  });
});

/** Who asks shows no token of the API. */
const OTHERWISE_PROVEN = ['grantAccessToken', 'askAdmission', 'followSeq', 'acknowledgeSeq'];
/** Whose answer has no end, and what everybody is told of everybody: both in tests of their own. */
const ENDLESS = ['followEvents'];
const TOLD_TO_ALL = ['followStatus', 'readStatus', 'findPublicOrganisations', 'readPublicOrganisation'];
/** What is done once is not there to be done again. */
const ONCE = ['unpinTrustAnchor', 'dropHeldTrustMark'];
/** Operations that take something signed, encrypted or agreed upon, which comes to its own tests. */
const MALFORMED = [
  ...['holdTrustMark', 'takeHostedKey', 'bringHostedKey', 'acceptTerms', 'addCredential', 'replaceCredential'],
  'activateCertificationAuthority',
];
const done = new Set<string>();

describe('F03 let in', () => {
  it.each(CELLS)('$title', async ({ operation, access, caller }) => {
    if (access === undefined) throw new Error(`${operation.operationId} is not in ACCESS`);
    // Asked with proofs of another kind, in tests of their own.
    if ([...OTHERWISE_PROVEN, ...ENDLESS, ...TOLD_TO_ALL].includes(operation.operationId)) return;
    for (const place of EVERYWHERE) {
      if (expected(access, operation, caller, place) !== 'open') continue;
      const request = requestOf(operation, PLACES[place]);
      const key = JSON.stringify([operation.operationId, ONCE.includes(operation.operationId) || caller.name, request]);
      if (done.has(key)) continue;
      done.add(key);
      const answer = await ask(caller, request);
      const about = `${caller.name}, ${operation.operationId}, ${place}: ${answer.status} ${JSON.stringify(answer.body)}`;
      expect(answer.status, about).toBeLessThan(500);
      if (!MALFORMED.includes(operation.operationId)) expect(answer.status, about).not.toBe(400);
      expect([401, 428], about).not.toContain(answer.status);
      expect(answer.body?.code, about).not.toBe('role_missing');
      // Only a part of what is in reach may be missing: the key `x`.
      if (answer.status === 404) expect(answer.body.detail, about).toMatch(/ x$/);
      for (const id of foreignIds(caller, request)) expect(JSON.stringify(answer.body), about).not.toContain(id);
    }
  });
});

describe('F03 lists', () => {
  const lists = API_OPERATIONS.filter(
    ({ asks, path, operationId }) => asks !== 'record' && !path.includes('{') && !ENDLESS.includes(operationId),
  );

  it.each(lists)('$operationId shows to each caller what is in reach, and nothing else', async (operation) => {
    const access = accessOf(operation.operationId);
    const { path } = operation;
    const reader = access?.roles.includes('auditor') ? api.auditor : api.admin;
    const { body: all } = await reader.get(path);
    expect(all.items.length).toBeGreaterThan(0);
    for (const caller of CALLERS.filter(({ role }) => access?.roles.includes(role))) {
      const answer = await ask(caller, { method: 'GET', path });
      if (answer.status === 403 && caller.isOfEntity) continue;
      if (access?.reach === 'deployment' && caller.isOfEverything !== true) continue;
      expect(answer.status).toBe(200);
      for (const id of foreignIds(caller, { method: 'GET', path })) {
        expect(JSON.stringify(answer.body), caller.name).not.toContain(id);
      }
    }
  });
});
