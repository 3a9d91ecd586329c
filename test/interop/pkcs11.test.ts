/** Keys in a PKCS#11 token: the service as operators run it, with SoftHSM2. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkJwkSet, type JwkSet } from '../../src/federation/jwk-set.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { parseSignedJwt, type SignedJwt, verifySignature } from '../../src/federation/signature.ts';
import { endpointUrl } from '../../src/issuance/authority-endpoints.ts';
import { clearToken } from '../../src/jobs/clear-token.ts';
import { createAuthority } from '../../src/registry/authorities/create-authority.ts';
import { revokeAuthorityKey } from '../../src/registry/authorities/keys/revoke-authority-key.ts';
import { STATEMENTS_ONLY } from '../../src/registry/authorities/keys/signed-by-key.ts';
import { noteTokenObject } from '../../src/registry/authorities/keys/token-objects-in-making.ts';
import type { TokenKey, TokenKeyPlace } from '../../src/signer/custody/key-custody.ts';
import { Pkcs11Custody } from '../../src/signer/custody/pkcs11/token-custody.ts';
import { createSigner } from '../../src/signer/signer.ts';
import { authorityKeys } from '../../src/storage/schema/authority-keys.ts';
import { claimsOf } from '../support/answers.ts';
import { freePort } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { serveFederation } from '../support/federation-server.ts';
import { buildPkcs11js } from '../support/pkcs11js.ts';
import { dumpOf, marksInFiles, privateKeyMarks } from '../support/private-key-marks.ts';
import { openRegistry, TEST_MASTER_KEY } from '../support/registry.ts';
import {
  type ApiAnswer,
  enrolThrough,
  organisationThrough,
  type ServiceProcess,
  systemClock,
} from '../support/service-process.ts';
import { liveThroughAYear } from '../support/simulated-year.ts';
import { authorityOf, type HostedHere, placeForToken, TokenDeployment } from '../support/token-deployment.ts';

let nodePath: string;

beforeAll(async () => {
  nodePath = await buildPkcs11js();
}, 240_000);

/** One with members that publish themselves. */
class Deployment extends TokenDeployment {
  #server: Awaited<ReturnType<typeof serveFederation>> | undefined;

  static async prepare(): Promise<Deployment> {
    return new Deployment(await placeForToken(nodePath));
  }

  /** Enrols that many entities. @returns their Entity Identifiers */
  async enrol(node: ServiceProcess, names: readonly string[]): Promise<string[]> {
    const settings = Object.fromEntries(names.map((name) => [name, { superiors: [this.baseUrl] }]));
    this.#server = this.stack.use(await serveFederation(settings, { clock: systemClock }));
    const organisationId = await organisationThrough(node, await authorityOf(node));
    const identifiers = names.map((name) => this.#server?.federation.id(name) ?? '');
    for (const identifier of identifiers) await enrolThrough(node, organisationId, identifier);
    return identifiers;
  }
}

/** Keys of the first authority, as the API shows them. */
async function keysOf(node: ServiceProcess): Promise<{ kid: string; alg: string; custody: string; state: string }[]> {
  const { body } = await node.api('GET', `/authorities/${await authorityOf(node)}/keys`);
  return body.items;
}

/** A new key that signs at once. */
async function rollNow(node: ServiceProcess): Promise<string> {
  const keys = `/authorities/${await authorityOf(node)}/keys`;
  const rolled = await node.api('POST', keys, { reason: 'to the token' });
  expect(rolled.status).toBe(201);
  const { kid } = rolled.body;
  const activated = await node.api('POST', `${keys}/${kid}/activate`, { force: true, reason: 'nobody relies on it' });
  expect(activated.status).toBe(200);
  return kid;
}

async function configurationOf(
  node: ServiceProcess,
): Promise<{ signed: SignedJwt; jwks: JwkSet; endpoints: Record<string, string> }> {
  const { text } = await node.get(`${node.baseUrl}/.well-known/openid-federation`);
  const signed = parseSignedJwt(text, TYP.entityStatement);
  const jwks = checkJwkSet(signed.claims['jwks']);
  await verifySignature(signed, jwks);
  const metadata = signed.claims['metadata'] as { federation_entity: Record<string, string> };
  return { signed, jwks, endpoints: metadata.federation_entity };
}

/** The configuration of a hosted entity, verified, and the kid and custody of its keys. */
async function hostedConfiguration(node: ServiceProcess, { id, entityIdentifier }: HostedHere) {
  const { text } = await node.get(`${entityIdentifier}/.well-known/openid-federation`);
  const signed = parseSignedJwt(text, TYP.entityStatement);
  await verifySignature(signed, checkJwkSet(signed.claims['jwks']));
  const { body } = await node.api('GET', `/entities/${id}/hosting`);
  return { kid: signed.header.kid, keys: body.keys };
}

/** Grants a mark of a new type to subjects. @returns the type */
async function grantThrough(node: ServiceProcess, subjects: readonly string[]): Promise<string> {
  const trustMarkType = `${node.baseUrl}/marks/member`;
  const type = { authorityId: await authorityOf(node), trustMarkType, name: 'Member' };
  const { body } = await node.api('POST', '/trust-mark-types', type);
  for (const subject of subjects) {
    expect((await node.api('POST', '/trust-marks', { typeId: body.id, subject })).status).toBe(201);
  }
  return trustMarkType;
}

/** What is signed about a subject beyond its statement. */
async function markAndEvents(node: ServiceProcess, trustMarkType: string, sub: string) {
  const question = new URLSearchParams({ trust_mark_type: trustMarkType, sub });
  const mark = await node.get(`${endpointUrl(node.baseUrl, 'trustMark')}?${question}`);
  const events = await node.get(`${endpointUrl(node.baseUrl, 'subordinateEvents')}?${question}`);
  return { mark, events };
}

async function fetchStatement(node: ServiceProcess, subject: string) {
  const url = `${node.baseUrl}/federation/fetch?sub=${encodeURIComponent(subject)}`;
  return await node.get(url);
}

/** @returns the kid that a statement about the subject is signed with, once that was verified */
async function signedWith(node: ServiceProcess, subject: string): Promise<string> {
  const { status, text } = await fetchStatement(node, subject);
  expect(status).toBe(200);
  const statement = parseSignedJwt(text, TYP.entityStatement);
  await verifySignature(statement, (await configurationOf(node)).jwks);
  return statement.header.kid;
}

/** Processes that a process started. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

function expectTryAgain({ status, headers, text }: { status: number; headers: ApiAnswer['headers']; text: string }) {
  expect([status, Number(headers['retry-after']) > 0]).toEqual([503, true]);
  expect(text).toContain('temporarily_unavailable');
}

describe('keys in a token', { timeout: 180_000 }, () => {
  it('sign statements and resolve answers, and are nowhere else; unplugged, what was signed goes on being served', async () => {
    await using deployment = await Deployment.prepare();
    const { token, dataDir, folder } = deployment;
    let node = await deployment.start(deployment.tokenSettings);
    const [key] = await keysOf(node);
    expect(key).toMatchObject({ alg: 'ES256', custody: 'pkcs11', state: 'active' });
    const [ready = '', unsigned = '', late = ''] = await deployment.enrol(node, ['ready', 'unsigned', 'late']);
    expect(await signedWith(node, ready)).toBe(key?.kid);
    const { endpoints, jwks } = await configurationOf(node);
    const question = new URLSearchParams({ sub: ready, trust_anchor: node.baseUrl });
    const resolved = await node.get(`${endpoints['federation_resolve_endpoint']}?${question}`);
    expect(resolved.status).toBe(200);
    await verifySignature(parseSignedJwt(resolved.text, TYP.resolveResponse), jwks);

    const clinic = await deployment.host(node);
    const { kid: hostedKid, keys: hostedKeys } = await hostedConfiguration(node, clinic);
    expect(hostedKeys).toMatchObject([{ kid: hostedKid, custody: 'pkcs11', state: 'active' }]);
    const recipient = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const take = { recipient: { ...recipient, kid: 'theirs' }, reason: 'moves out' };
    const taken = await node.api('POST', `/entities/${clinic.id}/hosting/take`, take);
    expect([taken.status, taken.body.code]).toEqual([409, 'key_not_exportable']);
    expect(taken.text).toContain('PKCS#11 token');
    const trustMarkType = await grantThrough(node, [ready, unsigned]);
    const known = await markAndEvents(node, trustMarkType, ready);
    expect([known.mark.status, known.events.status]).toEqual([200, 200]);
    const askStatus = () => node.post(endpointUrl(node.baseUrl, 'trustMarkStatus'), { trust_mark: known.mark.text });
    expect(claimsOf((await askStatus()).text)['status']).toBe('active');

    expect(marksInFiles(dataDir, privateKeyMarks(folder))).toEqual([]);
    expect(marksInFiles(dataDir, [token.pin])).toEqual([]);
    const [child = 0, ...others] = childrenOf(node.pid);
    expect(others).toEqual([]);
    const given = await readFile(`/proc/${child}/environ`, 'latin1');
    expect(given).toContain('SOFTHSM2_CONF');
    expect(given + (await readFile(`/proc/${child}/cmdline`, 'latin1'))).not.toMatch(/HOLDFAST|pin-of/);

    await deployment.unplug();
    expect((await fetchStatement(node, ready)).status).toBe(200);
    expectTryAgain(await fetchStatement(node, unsigned));
    expectTryAgain(await node.api('POST', '/authorities', { entityIdentifier: `${node.baseUrl}/two`, name: 'Two' }));
    expect((await node.get(`${node.baseUrl}/federation/list`)).status).toBe(200);
    expect((await hostedConfiguration(node, clinic)).kid).toBe(hostedKid);
    const ofType = new URLSearchParams({ trust_mark_type: trustMarkType });
    const listing = await node.get(`${endpointUrl(node.baseUrl, 'trustMarkList')}?${ofType}`);
    expect(JSON.parse(listing.text)).toEqual([ready, unsigned]);
    const unplugged = await markAndEvents(node, trustMarkType, ready);
    expect([unplugged.mark.text, unplugged.events.text]).toEqual([known.mark.text, known.events.text]);
    const unknown = await markAndEvents(node, trustMarkType, unsigned);
    for (const refused of [unknown.mark, unknown.events, await askStatus()]) expectTryAgain(refused);
    expect((await fetchStatement(node, ready)).status).toBe(200);
    await deployment.plugIn();
    await expect.poll(async () => (await fetchStatement(node, unsigned)).status, { timeout: 15_000 }).toBe(200);
    expect(await signedWith(node, unsigned)).toBe(key?.kid);
    expect(claimsOf((await askStatus()).text)['status']).toBe('active');
    const found = await markAndEvents(node, trustMarkType, unsigned);
    expect([found.mark.status, found.events.status]).toEqual([200, 200]);
    const { body } = await node.api('GET', '/authorities');
    expect(body.items).toHaveLength(1);

    const [tokenProcess = 0] = childrenOf(node.pid);
    await node.kill();
    await expect.poll(() => existsSync(`/proc/${tokenProcess}`), { timeout: 10_000 }).toBe(false);
    node = await deployment.start(deployment.tokenSettings);
    expect(await signedWith(node, late)).toBe(key?.kid);

    await deployment.unplug();
    await node.kill();
    node = await deployment.start(deployment.tokenSettings);
    expect((await fetchStatement(node, late)).status).toBe(200);
    await deployment.plugIn();
  });

  it('are searched for as sealed ones are found: in a data directory that has one', async () => {
    await using deployment = await Deployment.prepare();
    await deployment.start({});
    expect(marksInFiles(deployment.dataDir, privateKeyMarks(deployment.folder))).toHaveLength(1);
  });

  it('[F30] take over from sealed ones by rolling, on two nodes with one token', async () => {
    await using deployment = await Deployment.prepare();
    await using database = await createTestDatabase('postgresql');
    const databaseUrl = database.url;
    let node = await deployment.start({}, { databaseUrl });
    const [sealed] = await keysOf(node);
    expect(sealed?.custody).toBe('sealed');
    const marks = privateKeyMarks(deployment.folder);
    const found = async () => {
      const dump = await dumpOf(database);
      return marks.filter((mark) => dump.includes(mark));
    };
    expect(await found()).toHaveLength(1);
    await node[Symbol.asyncDispose]();

    const ports = [deployment.port, await freePort()];
    node = await deployment.start(deployment.tokenSettings, { databaseUrl, port: ports[0] });
    const other = await deployment.start(deployment.tokenSettings, { databaseUrl, port: ports[1] });
    const [one = '', two = ''] = await deployment.enrol(node, ['one', 'two']);
    expect(await signedWith(node, one)).toBe(sealed?.kid);
    const kid = await rollNow(node);
    expect((await keysOf(node)).map(({ custody, state }) => [custody, state])).toEqual([
      ['sealed', 'retired'],
      ['pkcs11', 'active'],
    ]);
    expect(await signedWith(node, one)).toBe(kid);
    await expect.poll(() => signedWith(other, two)).toBe(kid);
    const { keys: hostedKeys } = await hostedConfiguration(node, await deployment.host(node));
    expect(hostedKeys).toMatchObject([{ custody: 'pkcs11' }]);
    expect(await found()).toEqual([]);
    const next = await rollNow(other);
    await expect.poll(() => signedWith(node, one)).toBe(next);
    expect(await signedWith(other, two)).toBe(next);
  });

  it('may be RSA keys, and cannot be taken out', async () => {
    await using deployment = await Deployment.prepare();
    const node = await deployment.start({ ...deployment.tokenSettings, HOLDFAST_KEY_ALGORITHM: 'RS256' });
    const { signed, jwks } = await configurationOf(node);
    expect(signed.header.alg).toBe('RS256');
    expect(Buffer.from(String(jwks.keys[0]?.n), 'base64url')).toHaveLength(3072 / 8);
    const { environment, module, pin } = deployment.token;
    const env = { ...process.env, ...environment, NODE_PATH: nodePath };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', LOOK_INSIDE, module, pin], { env });
    const uses = { sign: 1, decrypt: 0, unwrap: 0, derive: 0 };
    expect(JSON.parse(stdout)).toEqual([{ refusal: 'CKR_ATTRIBUTE_SENSITIVE', extractable: 0, sensitive: 1, ...uses }]);
  });

  it('[F30] [OIDFED-11.2-1] [OIDFED-11.2-2] [OIDFED-8.7-5] [OIDFED-8.7-6] are rolled for a year without breaking a chain', async () => {
    await using deployment = await Deployment.prepare();
    const { module, label, pin, environment } = deployment.token;
    await using token = new Pkcs11Custody({
      ...{ module, label, pin },
      environment: { ...process.env, ...environment, NODE_PATH: nodePath },
    });
    await token.open();
    await liveThroughAYear('postgresql', { token, makesNewKeys: true });
  });

  it('are destroyed in the token when they sign no more', async () => {
    await using deployment = await Deployment.prepare();
    const { module, label, pin, environment } = deployment.token;
    await using token = new Pkcs11Custody({
      ...{ module, label, pin },
      environment: { ...process.env, ...environment, NODE_PATH: nodePath },
    });
    await using registry = await openRegistry('embedded');
    const note = (place: TokenKeyPlace) => noteTokenObject(registry.db, place);
    const signer = createSigner(TEST_MASTER_KEY, { token, makesNewKeys: true, note });
    const generateKey = (authorityId: string) => signer.generateKey(authorityId, 'ES256');
    const settings = { entityIdentifier: 'https://anchor.example', name: 'Anchor' };
    const { id } = await createAuthority(registry.context(), settings, generateKey);
    const [leaked] = await registry.db.select().from(authorityKeys);
    const clear = () => clearToken({ db: registry.db, token });
    await clear();
    const held: TokenKey = {
      ...{ kid: leaked?.kid ?? '', alg: 'ES256', owner: id, purpose: 'federation' },
      ...{ custody: 'pkcs11', sealedPrivateKey: null, tokenObject: leaked?.tokenObject ?? '' },
    };
    await token.sign(held, new Uint8Array(1));
    const revocation = { revocationReason: 'compromised', reason: 'the PIN was seen' };
    const tools = { generateKey, signedByKey: STATEMENTS_ONLY };
    const { signingKid } = await revokeAuthorityKey(registry.context(), id, held.kid, revocation, tools);
    await clear();
    await expect(token.sign(held, new Uint8Array(1))).rejects.toThrow('the token "holdfast" has no key');
    const keys = await registry.db.select().from(authorityKeys);
    expect(keys.map(({ kid, tokenObject }) => [kid, tokenObject === null])).toEqual(
      expect.arrayContaining([
        [held.kid, true],
        [signingKid, false],
      ]),
    );
  });
});

/** Tries to read the private exponent of every private key. */
const LOOK_INSIDE = `
const pkcs11js = require('pkcs11js');
const [, module, pin] = process.argv;
const token = new pkcs11js.PKCS11();
token.load(module);
token.C_Initialize();
const slot = token.C_GetSlotList(true).find((slot) => token.C_GetTokenInfo(slot).label.trim() !== '');
const session = token.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
token.C_Login(session, pkcs11js.CKU_USER, pin);
token.C_FindObjectsInit(session, [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY }]);
const keys = token.C_FindObjects(session, 10);
token.C_FindObjectsFinal(session);
const read = (key, type) => token.C_GetAttributeValue(session, key, [{ type }])[0].value[0];
const outcomes = keys.map((key) => {
  let refusal;
  try { read(key, pkcs11js.CKA_PRIVATE_EXPONENT); } catch (error) { refusal = error.message; }
  const flags = ['EXTRACTABLE', 'SENSITIVE', 'SIGN', 'DECRYPT', 'UNWRAP', 'DERIVE'];
  return { refusal, ...Object.fromEntries(flags.map((flag) => [flag.toLowerCase(), read(key, pkcs11js['CKA_' + flag])])) };
});
console.log(JSON.stringify(outcomes));
`;

describe('a start with a token', { timeout: 60_000 }, () => {
  it('is refused with the wrong PIN, which is tried once and shown nowhere; the right one still opens the token', async () => {
    await using deployment = await Deployment.prepare();
    const wrong = { ...deployment.tokenSettings, HOLDFAST_PKCS11_PIN: 'no-such-pin' };
    const refusal = await deployment.start(wrong).catch((error: Error) => error.message);
    expect(refusal).toContain('refuses the PIN (CKR_PIN_INCORRECT)');
    expect(refusal).not.toContain('no-such-pin');
    const node = await deployment.start(deployment.tokenSettings);
    expect((await configurationOf(node)).jwks.keys).toHaveLength(1);
  });

  it('is refused with a PIN file that has none', async () => {
    await using deployment = await Deployment.prepare();
    const { HOLDFAST_PKCS11_PIN: _, ...settings } = deployment.tokenSettings;
    const pinFile = path.join(deployment.folder, 'pin');
    await writeFile(pinFile, '\n', { mode: 0o600 });
    const refusal = deployment.start({ ...settings, HOLDFAST_PKCS11_PIN_FILE: pinFile });
    await expect(refusal).rejects.toThrow(`the PIN file ${pinFile} is empty`);
  });

  it('says what to install when pkcs11js is missing, and which tokens there are when the named one is not', async () => {
    await using deployment = await Deployment.prepare();
    const { NODE_PATH: _, ...withoutPackage } = deployment.tokenSettings;
    expect(readdirSync(path.join(import.meta.dirname, '../../node_modules'))).not.toContain('pkcs11js');
    await expect(deployment.start(withoutPackage)).rejects.toThrow('npm install --no-save pkcs11js');
    const misnamed = { ...deployment.tokenSettings, HOLDFAST_PKCS11_TOKEN: 'other' };
    await expect(deployment.start(misnamed)).rejects.toThrow(
      /no token has the label \W+other\W+; there is \W+holdfast/,
    );
  });

  it('is refused without the token whose key an authority signs with', async () => {
    await using deployment = await Deployment.prepare();
    const node = await deployment.start(deployment.tokenSettings);
    await node[Symbol.asyncDispose]();
    await expect(deployment.start({})).rejects.toThrow(/is in a PKCS#11 token; set HOLDFAST_PKCS11_MODULE/);
  });
});
