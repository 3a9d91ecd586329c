import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relyingParty } from '../support/api-service.ts';
import { type CommandOutcome, callHoldfast } from '../support/cli.ts';
import { flowWith } from '../support/enrolment-flow.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

let service: TestService;
let listening: Awaited<ReturnType<TestService['listen']>>;
let partner: FederationServer;
let folder: TemporaryFolder;
let submitter: Record<string, string>;
let approver: Record<string, string>;
let entity: string;

beforeAll(async () => {
  folder = new TemporaryFolder();
  service = await startTestService('embedded');
  listening = await service.listen();
  const authority = await service.authority();
  await service.organisation(authority);
  partner = await serveFederation({ rp: relyingParty(authority), other: relyingParty(authority) });
  entity = partner.federation.id('rp');
  const secretOf = ({ authorization }: { authorization: string }) => authorization.replace('Bearer ', '');
  const environmentOf = async (...roles: Parameters<TestService['bearer']>[0]) => ({
    HOLDFAST_URL: listening.origin,
    HOLDFAST_TOKEN: secretOf(await service.bearer(roles)),
  });
  submitter = await environmentOf('admin', 'registrar', 'approver');
  approver = await environmentOf('approver');
});
afterAll(async () => {
  await partner?.[Symbol.asyncDispose]();
  await listening?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const call = (env: Record<string, string>, ...args: string[]): Promise<CommandOutcome> => callHoldfast(args, { env });

describe('holdfast enrolment', () => {
  it('takes an entity through the steps of its authority, by two people', async () => {
    const flow = folder.at('flow.json');
    const terms = { step: 'terms' as const, version: '2027-1', uri: 'https://trust-anchor.example/terms' };
    writeFileSync(flow, JSON.stringify(flowWith([{ step: 'domain' }, terms])));
    const set = await call(submitter, 'authority', 'update', 'Test Federation', '--enrolment-flow', flow);
    expect(set.stdout).toContain('identity → keys → configuration → metadata_policy → domain → terms → approvals');

    const added = await call(
      submitter,
      'enrolment',
      'add',
      entity,
      '--organisation',
      'Partner Ltd',
      '--name',
      'Portal',
    );
    expect(added.exitCode).toBe(1);
    expect(added.stdout).toMatch(/keys +passed/);
    expect(added.stdout).toMatch(/terms +failed +terms_not_accepted: .*2027-1/);
    expect(added.stderr).toContain('steps failed: domain (domain_unproven), terms (terms_not_accepted)');
    const [, challenge = ''] = /challenge +(\S+)/.exec(added.stdout) ?? [];
    const [, file = ''] = /file +(\S+)/.exec(added.stdout) ?? [];

    const accept = ['accept-terms', 'Partner Ltd', '--terms', '2027-1', '--accepted-by', 'Jo Doe'];
    expect((await call(submitter, 'enrolment', ...accept)).stdout).toBe(
      'Partner Ltd accepted the terms 2027-1, by Jo Doe.\n',
    );
    partner.override(file, { status: 200, body: challenge });
    const domain = await call(submitter, 'enrolment', 'run', entity, '--step', 'domain');
    expect([domain.exitCode, domain.stderr.includes('terms (terms_not_accepted)')]).toEqual([1, true]);
    const run = await call(submitter, 'enrolment', 'run', entity);
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toContain('Steps (approvals: 0 of 1)');
    const [, changes = ''] = run.stdout.split('What it would change\n');
    expect(changes).toMatch(/keys +registers keys +\S+\n +configuration +vouches for +openid_relying_party/);
    expect(changes).toMatch(/approvals +state +active\n/);
    expect(changes).not.toContain('{');

    const own = await call(submitter, 'enrolment', 'approve', entity, '--yes');
    expect([own.exitCode, own.stderr.includes('whoever submitted')]).toEqual([1, true]);
    const approved = await call(approver, 'enrolment', 'approve', entity, '--reason', 'ticket 4711', '--yes');
    expect(approved.stdout).toBe(`The enrolment of ${entity} is approved.\n`);
    const shown = await call(approver, 'enrolment', 'show', entity);
    expect(shown.stdout).toMatch(/organisation +Partner Ltd\n/);
    expect(shown.stdout).toContain('ticket 4711');
    const { stdout: organisation } = await call(approver, 'organisation', 'show', 'Partner Ltd');
    expect(organisation).toMatch(/proven domain +127\.0\.0\.1:\d+, by https, /);
    expect(organisation).toMatch(/accepted terms +2027-1, by Jo Doe, /);
    const list = await call(approver, 'enrolment', 'list', '--state', 'approved');
    expect(list.stdout).toMatch(new RegExp(`${entity} +approved +- +1 of 1 +caller`));
  });

  it('writes a draft down, changes it, submits it and gives it up', async () => {
    const other = partner.federation.id('other');
    const add = ['enrolment', 'add', other, '--organisation', 'Partner Ltd', '--draft'];
    expect((await call(submitter, ...add)).exitCode).toBe(0);
    const terms = ['--terms', '2027-1', '--accepted-by', 'Jo Doe', '--name', 'Shop'];
    const updated = await call(submitter, 'enrolment', 'update', other, ...terms, '--json');
    expect(JSON.parse(updated.stdout)).toMatchObject({ state: 'draft', name: 'Shop', steps: [] });
    expect((await call(submitter, 'enrolment', 'submit', other)).exitCode).toBe(0);
    const cancelled = await call(submitter, 'enrolment', 'cancel', other, '--reason', 'not needed', '--yes');
    expect(cancelled.stdout).toBe(`The enrolment of ${other} is cancelled.\n`);
    const again = await call(submitter, 'enrolment', 'reject', other, '--reason', 'x', '--yes');
    expect([again.exitCode, again.stderr.includes('which')]).toEqual([1, false]);
    expect(again.stderr).toContain('cannot reject an enrolment that is cancelled');
  });

  it('is asked for by the partner itself, signed with its key', async () => {
    const dir = folder.at('rp');
    const { entityIdentifier } = await service.authority({ entityIdentifier: listening.origin });
    const identifier = 'http://127.0.0.1:9/asking';
    const init = ['configuration', 'init', '--entity', identifier, '--superior', entityIdentifier, '--dir', dir];
    await callHoldfast([...init, '--type', 'openid_relying_party', '--name', 'Example']);
    const ask = ['configuration', 'ask', '--dir', dir, '--authority', entityIdentifier];
    const printed = await callHoldfast([...ask, '--name', 'Portal', '--print']);
    const [header = '', payload = ''] = printed.stdout
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(header).typ).toBe('enrolment-request+jwt');
    expect(JSON.parse(payload)).toMatchObject({
      ...{ iss: identifier, sub: identifier, aud: entityIdentifier, jti: expect.any(String) },
      enrolment: { name: 'Portal' },
    });
    // The clock of the service is ahead.
    const refused = await callHoldfast(ask);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain(`${entityIdentifier} refused the request: `);
    expect(refused.stderr).toContain('its exp is ahead');
  });

  it('takes back what an organisation proved and accepted, and lets in by steps what is added', async () => {
    const { stdout: shown } = await call(submitter, 'organisation', 'show', 'Partner Ltd');
    const [, domain = ''] = /proven domain +(\S+),/.exec(shown) ?? [];
    const away = ['Partner Ltd', domain, '--reason', 'sold'];
    const tried = await call(submitter, 'enrolment', 'withdraw-domain', ...away, '--dry-run');
    expect(tried.stdout).toMatch(new RegExp(`Nothing was changed.*Would be flagged.*${entity}`, 's'));
    expect((await call(submitter, 'enrolment', 'withdraw-domain', ...away)).stderr).toContain('nobody to ask');
    const taken = await call(submitter, 'enrolment', 'withdraw-domain', ...away, '--yes');
    expect(taken.stdout).toContain('domain_unproven');
    const left = ['withdraw-terms', 'Partner Ltd', '--terms', '2027-1', '--reason', 'left', '--yes'];
    expect((await call(submitter, 'enrolment', ...left)).stdout).toBe(
      'That Partner Ltd accepted version 2027-1 counts no more; the authority asks for it.\n',
    );
    expect((await call(submitter, 'organisation', 'show', 'Partner Ltd')).stdout).toMatch(/2027-1.*, taken back /);
    const added = await call(
      submitter,
      'entity',
      'add',
      partner.federation.id('other'),
      '--organisation',
      'Partner Ltd',
    );
    expect(added.exitCode).toBe(1);
    expect(added.stderr).toContain('steps failed: domain (domain_unproven), terms (terms_not_accepted)');
  });

  it('says what belongs together', async () => {
    const half = await call(submitter, 'enrolment', 'add', entity, '--organisation', 'Partner Ltd', '--terms', '1');
    expect([half.exitCode, half.stderr.includes('--terms and --accepted-by go together')]).toEqual([2, true]);
    const missing = await call(submitter, 'enrolment', 'show', 'https://nobody.example');
    expect([missing.exitCode, missing.stderr.includes('holdfast enrolment list')]).toEqual([1, true]);
  });
});
