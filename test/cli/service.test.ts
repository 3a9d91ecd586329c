import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CommandOutcome,
  callHoldfast,
  freePort,
  type RunningCommand,
  runHoldfast,
  startHoldfast,
} from '../support/cli.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
let dataDir: string;
let serviceUrl: string;
let partner: string;
let service: RunningCommand;
let partnerServer: RunningCommand;
/** Of the service; with the first admin's token once it was claimed. */
let env: Record<string, string>;

/** A real service, and a real partner that publishes its configuration. */
beforeAll(async () => {
  folder = new TemporaryFolder();
  dataDir = folder.at('data');
  const [port, partnerPort] = [await freePort(), await freePort()];
  serviceUrl = `http://localhost:${port}`;
  partner = `http://127.0.0.1:${partnerPort}/rp`;
  env = { HOLDFAST_URL: serviceUrl };
  const dir = folder.at('rp');
  const init = ['configuration', 'init', '--entity', partner, '--superior', serviceUrl, '--dir', dir];
  await callHoldfast([...init, '--type', 'openid_relying_party', '--name', 'Example']);
  [service, partnerServer] = await Promise.all([
    startHoldfast(['serve'], { env: { PORT: String(port), HOLDFAST_DATA_DIR: dataDir } }),
    startHoldfast(['configuration', 'serve', '--dir', dir, '--listen', `127.0.0.1:${partnerPort}`]),
  ]);
  const claim = await runHoldfast(['token', 'claim', '--name', 'me', '--role', 'registrar'], {
    env: { ...env, HOLDFAST_DATA_DIR: dataDir },
  });
  expect(claim.exitCode, claim.stderr).toBe(0);
  expect(claim.stdout).toMatch(/^holdfast_[\w-]{43}\n$/);
  env = { ...env, HOLDFAST_TOKEN: claim.stdout.trim() };
});
afterAll(async () => {
  await Promise.all([partnerServer?.[Symbol.asyncDispose](), service?.[Symbol.asyncDispose]()]);
  folder[Symbol.dispose]();
});

function call(args: string[], options: { env?: Record<string, string>; stdin?: string } = {}): Promise<CommandOutcome> {
  return callHoldfast(args, { stdin: options.stdin, env: { ...env, ...options.env } });
}

/** Runs a command that has to succeed. @returns what it printed as JSON */
async function json(...args: string[]) {
  const { exitCode, stdout, stderr } = await call([...args, '--json']);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Runs a command that has to fail. @returns the error as JSON */
async function refusal(
  ...args: string[]
): Promise<{ code: string; exitCode: number; message: string; errors?: object[] }> {
  const { exitCode, stderr } = await call([...args, '--json']);
  const { error } = JSON.parse(stderr);
  expect(error.exitCode).toBe(exitCode);
  return error;
}

describe('token', () => {
  it('claim works once', async () => {
    const again = ['token', 'claim', '--name', 'other'];
    const locally = { env: { HOLDFAST_DATA_DIR: dataDir } };
    for (let attempt = 0; attempt < 2; attempt++) {
      const { exitCode, stdout, stderr } = await call(again, locally);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain('an admin exists already');
    }
  });

  it('create, list and revoke', async () => {
    const created = await call(['token', 'create', '--name', 'desk', '--role', 'auditor', '--expires-in-days', '1']);
    expect(created.stderr).toContain('Token desk (auditor; authorities: all)');
    const desk = { env: { HOLDFAST_TOKEN: created.stdout.trim() } };
    expect((await call(['whoami', '--json'], desk)).stdout).toContain('"auditor"');
    const forbidden = await call(['token', 'create', '--name', 'x', '--role', 'admin'], desk);
    expect(forbidden.exitCode).toBe(1);
    expect(forbidden.stderr).toContain('holdfast whoami');
    const listed = await call(['token', 'list']);
    expect(listed.stdout).toMatch(/desk +auditor +all +active/);
    expect(listed.stdout).not.toContain(created.stdout.trim());
    expect((await json('token', 'revoke', 'desk')).revokedAt).not.toBeNull();
    expect(await call(['whoami', '--json'], desk)).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('F03 create for a member, rotate, and rotate itself', async () => {
    await json('organisation', 'add', 'Member Bank', '--contact', 'incident=soc@bank.example');
    const member = ['--role', 'technical-contact', '--organisation', 'Member Bank'];
    const created = await call(['token', 'create', '--name', 'ann', ...member]);
    expect(created.stderr).toContain('Token ann (technical-contact; organisations: Member Bank)');
    const { authorityId } = await json('organisation', 'show', 'Member Bank');
    const { entityIdentifier } = await json('authority', 'show', authorityId);
    const local = await call(['token', 'create', '--name', 'local', '--role', 'auditor', '--authority', authorityId]);
    expect(local.stderr).toContain(`authorities: ${entityIdentifier})`);
    const asLocal = await call(['whoami'], { env: { HOLDFAST_TOKEN: local.stdout.trim() } });
    expect(asLocal.stdout).toContain(`authorities  ${entityIdentifier}`);
    const listed = await call(['token', 'list']);
    expect(listed.stdout).toMatch(/ann +technical-contact +Member Bank +active/);
    expect(listed.stdout).toContain(` ${entityIdentifier} `);

    const rotated = await call(['token', 'rotate', 'ann', '--overlap-hours', '1']);
    expect(rotated.stderr).toContain('the old one ends');
    const [old, next] = [created, rotated].map(({ stdout }) => ({ env: { HOLDFAST_TOKEN: stdout.trim() } }));
    for (const token of [old, next]) {
      const { stdout } = await call(['whoami'], token);
      expect(stdout).toContain('Member Bank');
      expect((await call(['organisation', 'list'], token)).stdout).toMatch(/Member Bank/);
    }
    const own = await call(['token', 'rotate', '--overlap-hours', '0'], next);
    expect(own.exitCode).toBe(0);
    expect((await call(['whoami'], next)).exitCode).toBe(1);
    expect((await call(['whoami'], { env: { HOLDFAST_TOKEN: own.stdout.trim() } })).exitCode).toBe(0);
    expect((await call(['token', 'list'], { env: { HOLDFAST_TOKEN: own.stdout.trim() } })).exitCode).toBe(1);
    await json('token', 'revoke', 'ann');
  });
});

/** What an organisation needs before it is approved. */
const REACHABLE = ['--contact', 'incident=soc@example.edu'];

describe('the main job', () => {
  it('goes from an organisation to a resolved entity, and back', async () => {
    const organisation = await json('organisation', 'add', 'University', '--contact', 'incident=soc@example.edu');
    expect(organisation).toMatchObject({
      state: 'pending',
      contacts: [{ type: 'incident', email: 'soc@example.edu', lastConfirmedAt: null }],
    });
    expect(await json('organisation', 'approve', 'University', '--yes')).toMatchObject({
      state: 'active',
      stateReason: 'approved',
    });
    const policy = folder.write('policy.json', { openid_relying_party: { contacts: { add: ['noc@fed.example'] } } });
    const added = await call(['entity', 'add', partner, '--organisation', 'University', '--metadata-policy', policy]);
    expect(added).toMatchObject({ exitCode: 0 });
    expect(added.stdout).toMatch(/passed +authority_hint +names/);
    expect(added.stderr).toContain(`holdfast entity approve ${partner}`);

    const approved = await call(['entity', 'approve', partner, '--yes', '--json']);
    expect(JSON.parse(approved.stdout)).toMatchObject({ state: 'active', version: 2 });
    const anchorFile = folder.at('anchor.json');
    await json('anchor', 'fetch', serviceUrl, '--out', anchorFile);
    const resolve = ['resolve', partner, '--anchor', serviceUrl, '--anchor-jwks', anchorFile];
    expect((await json(...resolve)).metadata.openid_relying_party.contacts).toEqual(['noc@fed.example']);

    const suspended = await json('entity', 'suspend', partner, '--reason', 'incident 4711', '--yes');
    expect(suspended).toMatchObject({ state: 'suspended', stateReason: 'incident 4711' });
    const refused = await call([...resolve, '--json']);
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout).attempts[0].reason).toBe('subject_not_active');
    expect(await json('entity', 'reinstate', partner, '--yes')).toMatchObject({ state: 'active' });
    expect(await json(...resolve)).toMatchObject({ resolved: true });
  });

  it('approves what was looked at only', async () => {
    await json('organisation', 'add', 'Looked at', ...REACHABLE);
    const stale = await refusal('organisation', 'approve', 'Looked at', '--yes', '--if-match', '7');
    expect(stale).toMatchObject({ exitCode: 1, code: 'version_mismatch' });
    expect(await json('organisation', 'approve', 'Looked at', '--yes', '--if-match', '"1"')).toMatchObject({
      state: 'active',
    });
  });

  it('exits with 1 when a check fails, and keeps the record with what to mend', async () => {
    await json('organisation', 'add', 'Careless');
    const nobody = `http://127.0.0.1:${await freePort()}/nobody`;
    const added = await call(['entity', 'add', nobody, '--organisation', 'Careless', '--json']);
    expect(added.exitCode).toBe(1);
    expect(JSON.parse(added.stdout)).toMatchObject({ state: 'pending' });
    expect(JSON.parse(added.stderr).error.code).toBe('checks_failed');
    expect(await refusal('entity', 'check', nobody)).toMatchObject({ exitCode: 1, code: 'checks_failed' });
    expect((await call(['entity', 'list'])).stdout).toMatch(/\/nobody .* 1 failed, 5 skipped\n/);
    for (const command of [
      ['check', nobody],
      ['approve', nobody, '--yes'],
    ]) {
      const { message } = await refusal('entity', ...command);
      expect(message).toContain('checks failed: configuration_retrieved (connection_failed);');
    }
    const shown = await call(['entity', 'show', nobody]);
    expect(shown.stdout).toMatch(/failed +configuration_retrieved +connection_failed/);
    expect(await json('entity', 'reject', nobody, '--reason', 'no answer', '--yes')).toMatchObject({
      state: 'rejected',
    });
    expect(await refusal('entity', 'suspend', nobody, '--reason', 'too late')).toMatchObject({
      code: 'illegal_transition',
      exitCode: 1,
      message: `cannot suspend ${nobody}, which is rejected`,
    });
  });
});

describe('a command that asks', () => {
  it('changes nothing where there is nobody to ask', async () => {
    const { id } = await json('organisation', 'add', 'Unasked');
    const { exitCode, code, message } = await refusal('organisation', 'approve', 'Unasked');
    expect({ exitCode, code }).toEqual({ exitCode: 2, code: 'not_confirmed' });
    expect(message).toContain(`holdfast organisation show ${id}`);
    expect(message).toContain('repeat with --yes');
    expect(await json('organisation', 'show', 'Unasked')).toMatchObject({ state: 'pending', version: 1 });
  });

  it('does not ask for what is impossible', async () => {
    await json('organisation', 'add', 'Not yet');
    const { exitCode, stderr } = await call(['organisation', 'reinstate', 'Not yet']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('cannot reinstate Not yet, which is pending');
    expect(stderr).toContain('Possible: approve, reject');
  });
});

describe('handed-over keys', () => {
  it('are enrolled with the answer to a challenge', async () => {
    await json('organisation', 'add', 'Offline');
    const entity = 'https://offline.example.edu';
    const dir = folder.at('offline');
    await json('configuration', 'init', '--entity', entity, '--superior', serviceUrl, '--dir', dir);
    const { stdout: challenge, stderr } = await call(['entity', 'challenge', entity]);
    expect(stderr).toContain('holdfast configuration prove --dir DIR --challenge');
    const prove = ['configuration', 'prove', '--dir', dir, '--challenge', challenge.trim(), '--authority', serviceUrl];
    const { stdout: answer } = await call(prove);
    const add = ['entity', 'add', '--organisation', 'Offline', '--handed-over', '-', '--json'];
    const incomplete = await call(add, { stdin: answer });
    expect(incomplete.exitCode).toBe(2);
    const added = await call([...add, '--out-of-band-check', 'call back'], { stdin: answer });
    expect(added.exitCode, added.stderr).toBe(0);
    expect(JSON.parse(added.stdout)).toMatchObject({ entityIdentifier: entity, enrolment: 'handed_over' });
    const spent = await call([...add, '--out-of-band-check', 'call back'], { stdin: answer });
    expect(spent.exitCode).toBe(1);
    expect(
      (
        await call(['entity', 'add', '--organisation', 'Offline', '--handed-over', '-', '--out-of-band-check', 'x'], {
          stdin: '{}',
        })
      ).exitCode,
    ).toBe(2);
  });
});

describe('authority and anchor', () => {
  it('are made, shown, changed and listed', async () => {
    const [first] = (await json('authority', 'list')).items;
    expect(first).toMatchObject({ entityIdentifier: serviceUrl, kind: 'trust_anchor' });
    expect(await json('authority', 'show')).toEqual(first);
    const constraints = folder.write('constraints.json', { max_path_length: 1 });
    const updated = await json('authority', 'update', serviceUrl, '--constraints', constraints, '--name', 'Fed');
    expect(updated).toMatchObject({ name: 'Fed', defaultConstraints: { max_path_length: 1 }, version: 2 });
    expect(await refusal('authority', 'update', serviceUrl)).toMatchObject({ exitCode: 2 });
    const bad = folder.write('bad.json', { openid_provider: { issuer: { subset_of: 'x' } } });
    const refused = await refusal('authority', 'update', 'Fed', '--metadata-policy', bad);
    expect(refused).toMatchObject({ exitCode: 1, code: 'validation_failed' });
    expect(refused.errors).toEqual([expect.objectContaining({ pointer: expect.stringContaining('/subset_of') })]);

    const { items } = await json('authority', 'keys');
    expect(items[0]).toMatchObject({ alg: 'ES256', state: 'active' });
    expect((await json('keys', 'list')).items).toEqual([{ ...items[0], authorityId: first.id }]);
  });

  it('pin, replace and remove the keys of a Trust Anchor of others', async () => {
    const other = 'https://other.example.org';
    const dir = folder.at('other');
    const { jwks } = await json('configuration', 'init', '--entity', other, '--dir', dir);
    const { stdout: jwt } = await call(['configuration', 'sign', '--dir', dir]);
    const pinned = await json('anchor', 'add', other, '--anchor-jwks', folder.write('other.json', jwks));
    expect(pinned).toMatchObject({ entityIdentifier: other, jwks, version: 1 });
    const replaced = await call(['anchor', 'replace-keys', other, '--anchor-jwks', '-'], { stdin: jwt });
    expect(replaced.exitCode).toBe(0);
    expect(replaced.stderr).toContain('compare them out of band');
    const leaked = readFileSync(join(dir, 'private-keys.json'), 'utf8');
    const refused = await call(['anchor', 'replace-keys', other, '--anchor-jwks', '-'], { stdin: leaked });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('must never be published');
    expect((await call(['anchor', 'list'])).stdout).toContain(other);
    expect(await json('anchor', 'remove', other, '--yes')).toEqual({ removed: pinned.id });
    expect(await refusal('anchor', 'show', other)).toMatchObject({ code: 'not_found', exitCode: 1 });
  });
});

describe('the record', () => {
  it('keeps what registers know of an organisation', async () => {
    const registered = ['--registration-number', 'HRB 7', '--register', 'Amtsgericht', '--country', 'DE'];
    const added = await json('organisation', 'add', 'Registered', ...REACHABLE, ...registered, '--tag', 'pilot');
    const registration = { number: 'HRB 7', register: 'Amtsgericht', country: 'DE' };
    expect(added).toMatchObject({ registration, tags: ['pilot'], parentId: null });
    const again = await refusal('organisation', 'add', 'Again', ...registered);
    expect(again).toMatchObject({ code: 'organisation_exists', exitCode: 1 });
    const half = await refusal('organisation', 'add', 'Half', '--country', 'DE');
    expect(half).toMatchObject({ code: 'usage', exitCode: 2 });
    const { items } = await json('organisation', 'list', '--registration-number', 'hrb 7', '--tag', 'pilot');
    expect(items.map(({ id }: { id: string }) => id)).toEqual([added.id]);
    const branch = await json('organisation', 'add', 'Branch', '--parent', 'Registered');
    expect(branch.parentId).toBe(added.id);
    expect(await json('organisation', 'update', 'Branch', '--no-parent', '--tag', 'x')).toMatchObject({
      parentId: null,
    });
    const changed = await json('organisation', 'update', 'Registered', '--no-registration', '--no-tag');
    expect(changed).toMatchObject({ registration: null, tags: [], legalName: 'Registered' });
  });

  it('adds, confirms, changes and removes contacts', async () => {
    await json('organisation', 'add', 'Reachable', ...REACHABLE);
    await json('organisation', 'approve', 'Reachable', '--yes');
    const contact = (verb: string, ...args: string[]) => json('organisation', 'contact', verb, 'Reachable', ...args);
    const added = await contact('add', 'security=Ada Lovelace <ada@example.edu>');
    expect(added).toMatchObject({ type: 'security', name: 'Ada Lovelace', email: 'ada@example.edu' });
    const confirmed = await contact('confirm', 'ada@example.edu', '--reason', 'answered');
    expect(confirmed.lastConfirmedAt).not.toBeNull();
    const shown = await call(['organisation', 'show', 'Reachable']);
    expect(shown.stdout).toMatch(/security contact +Ada Lovelace <ada@example\.edu>, confirmed /);
    expect(shown.stdout).toMatch(/incident contact +soc@example\.edu, never confirmed/);
    const moved = await contact('update', added.id, '--email', 'cert@example.edu', '--no-name');
    expect(moved).toMatchObject({ email: 'cert@example.edu', name: null, verifiedAt: null });
    expect((await contact('list', '--type', 'security')).items).toEqual([moved]);
    expect(await contact('remove', 'cert@example.edu', '--yes')).toEqual({ removed: added.id });
    const last = await refusal('organisation', 'contact', 'remove', 'Reachable', 'soc@example.edu', '--yes');
    expect(last).toMatchObject({ code: 'contact_missing', exitCode: 1 });
    const unknown = await refusal('organisation', 'contact', 'remove', 'Reachable', 'x@example.edu', '--yes');
    expect(unknown).toMatchObject({ code: 'not_found', exitCode: 1 });
  });

  it('says what an entity is for, and what it offers', async () => {
    await json('organisation', 'add', 'Provider', ...REACHABLE);
    const op = 'http://127.0.0.1:1/op';
    const attributes = ['--entity-type', 'openid_provider', '--mode', 'test', '--name', 'Login'];
    await call(['entity', 'add', op, '--organisation', 'Provider', ...attributes]);
    expect(await json('entity', 'show', op)).toMatchObject({ mode: 'test', environment: 'sandbox', name: 'Login' });
    const moved = await json('entity', 'update', op, '--environment', 'lab', '--no-name');
    expect(moved).toMatchObject({ environment: 'lab', name: null });
    const { items } = await json('entity', 'list', '--mode', 'test');
    expect(items.map(({ entityIdentifier }: { entityIdentifier: string }) => entityIdentifier)).toEqual([op]);
    const server = await json('authorization-server', 'add', op);
    expect(server).toMatchObject({ issuer: op, state: 'active' });
    const deprecated = await json('authorization-server', 'update', op, '--deprecated', '2020-01-01');
    expect(deprecated).toMatchObject({ state: 'deprecated', deprecatedAt: '2020-01-01T00:00:00.000Z' });
    const endpoint = ['--endpoint', 'https://api.example.edu/payments', '--certification', 'self_certified'];
    const api = await json('api-resource', 'add', 'payments', '2.1.0', '--server', op, ...endpoint);
    expect(api).toMatchObject({ family: 'payments', isCertified: true, state: 'deprecated' });
    const ended = ['--certification', 'certified', '--certified-until', '2020-01-01', '--retires', '2030-01-01'];
    const changed = await json('api-resource', 'update', 'payments@2.1.0', ...ended);
    expect(changed).toMatchObject({ isCertified: false, endpoints: api.endpoints });
    await json('role', 'domain', 'add', 'Open Banking');
    const { id: roleId } = await json('role', 'add', 'PISP', '--domain', 'Open Banking');
    const asking = await json('api-resource', 'update', 'payments@2.1.0', '--required-role', 'Open Banking/PISP');
    expect(asking.requiredRoles).toEqual([roleId]);
    const open = await json('api-resource', 'update', 'payments@2.1.0', '--no-required-role');
    expect(open.requiredRoles).toEqual([]);
    const audience = 'https://api.example/payments';
    const meant = await json('api-resource', 'update', 'payments@2.1.0', '--audience', audience);
    expect(meant.audience).toBe(audience);
    expect((await json('api-resource', 'update', 'payments@2.1.0', '--no-audience')).audience).toBeNull();
    const listed = await call(['api-resource', 'list', '--server', op]);
    expect(listed.stdout).toMatch(/payments +2\.1\.0 +deprecated +certified, not now/);
    expect(await json('api-resource', 'remove', 'payments@2.1.0', '--yes')).toEqual({ removed: api.id });
    expect(await json('authorization-server', 'remove', op, '--yes')).toEqual({ removed: server.id });
    expect((await json('authorization-server', 'list')).items).toEqual([]);
    expect(await json('authorization-server', 'show', server.id)).toMatchObject({ state: 'removed' });
  });
});

describe('lists and the export', () => {
  it('page through everything', async () => {
    for (const name of ['Page 1', 'Page 2', 'Page 3']) await json('organisation', 'add', name);
    const first = await json('organisation', 'list', '--limit', '2');
    expect(first.items).toHaveLength(2);
    const rest = await json('organisation', 'list', '--all', '--cursor', first.next);
    const all = await json('organisation', 'list', '--all');
    expect([...first.items, ...rest.items]).toEqual(all.items);
    expect(all.next).toBeUndefined();
    const { stderr } = await call(['organisation', 'list', '--limit', '1']);
    expect(stderr).toContain('--cursor');
  });

  it('export the registry: the same text each time, no private key in it', async () => {
    const [one, two] = [await call(['export']), await call(['export'])];
    expect(one.exitCode, one.stderr).toBe(0);
    expect(two.stdout).toBe(one.stdout);
    expect(one.stdout).not.toMatch(/"d":|sealedPrivateKey|sealed_|holdfast_/);
    const { format, records } = JSON.parse(one.stdout);
    expect(format).toBe('holdfast-export-2');
    expect(records.authorities[0].entityIdentifier).toBe(serviceUrl);
    expect(records.authorities[0].keys).toHaveLength(1);
    const identifiers = records.entities.map((entity: { entityIdentifier: string }) => entity.entityIdentifier);
    expect(identifiers).toContain(partner);
    expect(records.entities).toContainEqual(
      expect.objectContaining({ evidence: expect.objectContaining({ claims: expect.any(Object) }) }),
    );
  });

  it('export files that an import takes back: nothing changes, and a file at fault is named', async () => {
    const directory = folder.at('exported');
    expect((await call(['export', '--out', directory])).exitCode).toBe(0);
    const tried = await call(['--json', 'import', directory, '--dry-run']);
    expect(tried.exitCode, tried.stderr).toBe(0);
    expect(JSON.parse(tried.stdout)).toMatchObject({ seq: null, differences: [] });
    const [file = ''] = readdirSync(join(directory, 'organisations'));
    const place = join(directory, 'organisations', file);
    const record = JSON.parse(readFileSync(place, 'utf8'));
    writeFileSync(place, JSON.stringify({ ...record, legalName: 'Renamed Ltd' }));
    const done = await call(['import', directory, '--yes']);
    expect(done.stdout, done.stderr).toMatch(/^Imported as change \d+\.\n$/);
    writeFileSync(place, JSON.stringify({ ...record, legalName: '' }));
    const refused = await call(['import', directory, '--yes']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`${place} /legalName`);
    expect((await call(['import', directory, '--restore', '--yes'])).exitCode).toBe(1);
    writeFileSync(place, JSON.stringify(record));
    expect((await call(['import', directory, '--yes'])).exitCode).toBe(0);
  });

  it('tell of checks that were made before settings changed, until they are run again', async () => {
    const set = (metadata: object) =>
      call(['entity', 'update', partner, '--metadata', '-'], { stdin: JSON.stringify(metadata) });
    const check = () => call(['entity', 'check', partner]);
    const listed = async () => (await call(['entity', 'list'])).stdout.split('\n').find((row) => row.includes(partner));
    expect((await check()).exitCode).toBe(0);
    expect(await listed()).toMatch(/ passed$/);
    const { exitCode, stderr } = await set({ openid_relying_party: { client_name: 'Set by the superior' } });
    expect(exitCode, stderr).toBe(0);
    expect(await listed()).toMatch(/ passed, outdated$/);
    await json('entity', 'suspend', partner, '--reason', 'to see the warning', '--yes');
    const reinstated = await call(['entity', 'reinstate', partner, '--yes']);
    expect(reinstated.exitCode).toBe(0);
    expect(reinstated.stderr).toContain('warning: the recorded checks were made before settings changed');
    expect((await call(['entity', 'show', partner])).stdout).toContain('holdfast entity check`');
    expect((await check()).exitCode).toBe(0);
    expect(await listed()).toMatch(/ passed$/);
    await set({});
    await check();
  });

  it('leave what the checks saw to the single record', async () => {
    const { items } = await json('entity', 'list', '--all');
    const listed = items.find((item: { entityIdentifier: string }) => item.entityIdentifier === partner);
    const { evidence, findings, ...shown } = await json('entity', 'show', partner);
    expect([evidence.claims.iss, findings]).toEqual([partner, []]);
    expect(shown).toEqual(listed);
  });

  it('show the audit trail', async () => {
    const { items } = await json('audit', '--subject-kind', 'entity', '--all');
    expect(items).toContainEqual(
      expect.objectContaining({
        action: 'entity.suspend',
        reason: 'incident 4711',
        actor: expect.objectContaining({ name: 'me' }),
      }),
    );
  });
});

describe('the subject of the audit trail', () => {
  const actions = (items: { action: string }[]) => items.map(({ action }) => action);

  it('is shown by its name and found by name or id', async () => {
    const { id } = await json('organisation', 'add', 'Audited', ...REACHABLE);
    await json('organisation', 'approve', 'Audited', '--yes');
    const shown = await call(['audit', '--subject', 'Audited']);
    expect(shown.stdout).toMatch(/organisation\.add +Audited\b[\s\S]*organisation\.approve +Audited +approved/);
    expect(shown.stdout).not.toContain(id);
    for (const subject of ['Audited', id]) {
      const { items } = await json('audit', '--subject', subject);
      expect(actions(items)).toEqual(['organisation.add', 'organisation.approve']);
      expect(items[0].subjectId).toBe(id);
    }
    const ofEntity = await call(['audit', '--subject', partner, '--all']);
    expect(
      ofEntity.stdout
        .split('\n')
        .slice(1, -1)
        .every((row) => row.includes(partner)),
    ).toBe(true);
    expect(actions((await json('audit', '--subject', serviceUrl)).items)).toContain('authority.create');
  });

  it.each(['Nobody', 'https://nobody.example', '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f'])(
    'is refused when it is %s, of whom nothing is recorded',
    async (subject) => {
      const { exitCode, code, message } = await refusal('audit', '--subject', subject);
      expect({ exitCode, code }).toEqual({ exitCode: 1, code: 'not_found' });
      expect(message).toContain(subject);
    },
  );

  it('is not looked for among other kinds', async () => {
    const kind = ['--subject-kind', 'organisation'];
    expect(await refusal('audit', '--subject', partner, ...kind)).toMatchObject({ code: 'not_found', exitCode: 1 });
  });
});

describe('names', () => {
  it('of entities are compared to the last slash, which the refusal points out', async () => {
    const { exitCode, stderr } = await call(['entity', 'show', `${partner}/`]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`There is ${partner}: the slash at the end`);
  });

  it('that several records have are refused with their ids', async () => {
    const ids = [await json('organisation', 'add', 'Twin'), await json('organisation', 'add', 'Twin')].map(
      ({ id }) => id,
    );
    const error = await refusal('organisation', 'show', 'Twin');
    expect(error).toMatchObject({ code: 'name_ambiguous', exitCode: 2 });
    for (const id of ids) expect(error.message).toContain(id);
    expect(await json('organisation', 'update', ids[0], '--legal-name', 'Single')).toMatchObject({
      legalName: 'Single',
    });
    expect(await json('organisation', 'show', 'Twin')).toMatchObject({ id: ids[1] });
  });

  it('repeat nothing with an idempotency key', async () => {
    const add = ['organisation', 'add', 'Once', '--idempotency-key', 'once-1'];
    expect((await json(...add)).id).toBe((await json(...add)).id);
    const other = await refusal('organisation', 'add', 'Twice', '--idempotency-key', 'once-1');
    expect(other).toMatchObject({ code: 'idempotency_key_reused', exitCode: 1 });
  });
});

describe('a service that is not there', () => {
  it.each([
    ['nobody listens', async () => `http://127.0.0.1:${await freePort()}`, 3, 'cannot reach the service'],
    ['the address is none', async () => 'localhost:8080', 2, 'HOLDFAST_URL must be'],
    ['the address names a user', async () => 'http://me:geheim@127.0.0.1', 2, 'HOLDFAST_URL must be'],
    ['another program answers', async () => partner, 3, 'is no holdfast service'],
  ])('is told apart when %s', async (_, url, code, complaint) => {
    const { exitCode, stdout, stderr } = await call(['whoami'], { env: { HOLDFAST_URL: await url() } });
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toContain(complaint);
    expect(stderr).not.toContain('geheim');
  });

  it('gets no token by a redirect', async () => {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.writeHead(302, { Location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { exitCode, stderr } = await call(['whoami'], { env: { HOLDFAST_URL: `http://127.0.0.1:${port}` } });
    server.close();
    expect(exitCode).toBe(3);
    expect(stderr).toContain('redirects to /elsewhere');
    expect(requests).toEqual(['/api/v1/whoami']);
  });
});

describe('serve', () => {
  it('refuses a data directory that another one has open', async () => {
    const second = { PORT: String(await freePort()), HOLDFAST_DATA_DIR: dataDir };
    const { exitCode, stderr } = await runHoldfast(['serve'], { env: second });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('is in use by another process');
    expect(stderr).toContain('HOLDFAST_DATA_DIR');
  });

  it('leaves nothing behind when it cannot listen', async () => {
    const taken = new URL(serviceUrl).port;
    const unborn = folder.at('unborn');
    const { exitCode, stderr } = await runHoldfast(['serve'], { env: { PORT: taken, HOLDFAST_DATA_DIR: unborn } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${taken} (EADDRINUSE)`);
    expect(existsSync(unborn)).toBe(false);
  });

  it('names everything that is wrong with its environment', async () => {
    const { exitCode, stderr } = await callHoldfast(['serve'], { env: { PORT: 'x', HOLDFAST_DATADIR: 'y' } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('PORT');
    expect(stderr).toContain('HOLDFAST_DATADIR is unknown');
  });
});
