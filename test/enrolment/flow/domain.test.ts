import { afterAll, describe, expect, it } from 'vitest';
import { runEnrolmentSteps } from '../../../src/enrolment/flow/change-enrolment.ts';
import type { Enrolment } from '../../../src/enrolment/flow/enrolment.ts';
import type { EnrolmentTools } from '../../../src/enrolment/flow/step-subject.ts';
import { submitEnrolment } from '../../../src/enrolment/flow/submit-enrolment.ts';
import { createTextLookup } from '../../../src/outbound/text-records.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { listProvenDomains } from '../../../src/registry/organisations/accept-terms.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type DnsServer, serveDns, type Zone } from '../../support/dns-server.ts';
import { type PublishedEntity, publishedEntity } from '../../support/enrolment.ts';
import { flowWith } from '../../support/enrolment-flow.ts';
import { enrolmentTools, newEnrolment } from '../../support/enrolment-tools.ts';
import { serveFederation } from '../../support/federation-server.ts';
import { testClient } from '../../support/outbound.ts';
import { actor, openRegistry, outcome } from '../../support/registry.ts';

const client = testClient();
afterAll(() => client[Symbol.asyncDispose]());

const domainStep = ({ steps }: Enrolment) => steps.find(({ step }) => step === 'domain');
const hostOf = ({ identifier }: { identifier: string }) => new URL(identifier).host;

/** Asks a DNS server on loopback, as the service asks those of its setting. */
function asking(server: DnsServer): EnrolmentTools['lookUpText'] {
  return createTextLookup({ nameServers: [server.address], timeoutMs: 200, tries: 1 });
}

describe.each(DATABASE_KINDS)('F04 control of the domain on %s', async (kind) => {
  const registry = await openRegistry(kind);
  afterAll(() => registry[Symbol.asyncDispose]());
  const authority = await registry.authority({ enrolmentFlow: flowWith([{ step: 'domain' }]) });
  const organisation = await registry.organisation(authority);

  /** Submits an enrolment, whose challenge nobody could know before. */
  async function begun(
    entity: PublishedEntity,
    tools: Partial<EnrolmentTools> = {},
    members: { domain?: string } = {},
    by: Authority = authority,
  ): Promise<{ enrolment: Enrolment; run: (tools?: Partial<EnrolmentTools>) => Promise<Enrolment> }> {
    const whose = by === authority ? organisation : await registry.organisation(by);
    const input = newEnrolment(whose, entity, members);
    const enrolment = await submitEnrolment(registry.context(), input, enrolmentTools(entity, tools));
    const run = (more: Partial<EnrolmentTools> = tools) =>
      runEnrolmentSteps(registry.context(), enrolment.id, 'domain', enrolmentTools(entity, more));
    return { enrolment, run };
  }

  it('F04 says first what to publish, and asks nobody', async () => {
    await using server = await serveDns({});
    const entity = await publishedEntity(authority);
    const { enrolment } = await begun(entity, { lookUpText: asking(server) });
    expect(domainStep(enrolment)).toMatchObject({ outcome: 'failed', reason: 'domain_unproven', attempts: 1 });
    expect(domainStep(enrolment)?.detail).toBe(
      `publish ${enrolment.challenge} in a line of ${entity.identifier}/.well-known/holdfast-domain-challenge, or as ` +
        `TXT record of _holdfast-challenge.${hostOf(entity)}; then run the step again`,
    );
    expect([enrolment.state, enrolment.entityId, server.names]).toEqual(['checks_failed', null, []]);
  });

  it('F04 finds the challenge in DNS, and keeps the domain for the organisation', async () => {
    const entity = await publishedEntity(authority);
    const { enrolment, run } = await begun(entity);
    const name = `_holdfast-challenge.${hostOf(entity)}`;
    await using server = await serveDns({ [name]: { texts: ['v=spf1 -all', enrolment.challenge] } });
    const proven = await run({ lookUpText: asking(server) });
    expect(domainStep(proven)).toMatchObject({
      outcome: 'passed',
      evidence: { domain: hostOf(entity), method: 'dns' },
      wouldChange: { organisationDomain: { domain: hostOf(entity), method: 'dns' } },
    });
    expect([proven.state, server.names]).toEqual(['pending_approval', [name]]);
    const domains = await listProvenDomains(registry.db, actor(), organisation.id);
    expect(domains.find(({ domain }) => domain === hostOf(entity))).toMatchObject({
      method: 'dns',
      evidence: { enrolmentId: enrolment.id },
    });
  });

  it('F04 takes a domain above the host, by DNS alone, for all below it from then on', async () => {
    const domain = `partner-${hostOf(await publishedEntity(authority))}`;
    const first = await publishedEntity(authority, `https://op.${domain}`);
    const { enrolment, run } = await begun(first, {}, { domain });
    expect(domainStep(enrolment)?.detail).not.toContain('.well-known');
    const zone: Zone = { [`_holdfast-challenge.${domain}`]: { texts: [enrolment.challenge] } };
    await using server = await serveDns(zone);
    expect((await run({ lookUpText: asking(server) })).state).toBe('pending_approval');
    const { enrolment: next } = await begun(await publishedEntity(authority, `https://rp.${domain}:8443`));
    expect([domainStep(next)?.outcome, next.state]).toEqual(['passed', 'pending_approval']);
  });

  it.each<[string, (name: string) => Zone, RegExp]>([
    ['another text', (name) => ({ [name]: { texts: ['challenge'] } }), /no TXT record of/],
    ['no such name', () => ({}), /no TXT record of/],
    ['no text at all', (name) => ({ [name]: ['192.0.2.1'] }), /no TXT record of/],
    ['silence', (name) => ({ [name]: 'silent' }), /timed_out/],
    ['a failure', (name) => ({ [name]: 'failing' }), /connection_failed/],
  ])('F04 is not satisfied with %s, and says so', async (_what, zoneOf, detail) => {
    const entity = await publishedEntity(authority);
    const { run } = await begun(entity);
    await using server = await serveDns(zoneOf(`_holdfast-challenge.${hostOf(entity)}`));
    const step = domainStep(await run({ lookUpText: asking(server) }));
    expect(step).toMatchObject({ outcome: 'failed', reason: 'domain_unproven', attempts: 2 });
    expect(step?.detail).toMatch(detail);
  });

  it('F04 puts together a challenge that DNS gives in pieces, and reads no more records than it must', async () => {
    const entity = await publishedEntity(authority);
    const { enrolment, run } = await begun(entity);
    const texts = ['x'.repeat(600), enrolment.challenge];
    await using server = await serveDns({ [`_holdfast-challenge.${hostOf(entity)}`]: { texts } });
    expect(await asking(server)(`_holdfast-challenge.${hostOf(entity)}`)).toEqual(texts);
    expect((await run({ lookUpText: asking(server) })).state).toBe('pending_approval');
  });

  it('F04 finds the challenge in a file on the host, through the guard, for that host alone', async () => {
    await using server = await serveFederation({ rp: { superiors: [authority.entityIdentifier] } });
    const entity = await publishedEntity(authority, server.federation.id('rp'));
    const { enrolment, run } = await begun(entity);
    const file = `${server.origin}/.well-known/holdfast-domain-challenge`;
    const tools = { outbound: client };
    server.override(file, { status: 404 });
    expect(domainStep(await run(tools))?.detail).toContain('answers with status 404');
    server.override(file, { status: 200, body: 'x'.repeat(20_000) });
    expect(domainStep(await run(tools))?.detail).toContain('response_too_large');
    server.override(file, { status: 302, headers: { location: 'https://elsewhere.example' } });
    expect(domainStep(await run(tools))?.detail).toContain('redirect_refused');
    await using guarded = testClient({ allow: '' });
    expect(domainStep(await run({ outbound: guarded }))?.detail).toContain('address_forbidden');
    server.override(file, { status: 200, body: `# of others\r\nabc\r\n${enrolment.challenge}\r\n` });
    const proven = await run(tools);
    expect(domainStep(proven)?.evidence).toEqual({ domain: new URL(server.origin).host, method: 'https' });
    const elsewhere = await publishedEntity(authority, `http://127.0.0.1:1/rp`);
    expect(domainStep((await begun(elsewhere)).enrolment)?.outcome).toBe('failed');
  });

  it('F04 counts for nobody else who enrols at the same host', async () => {
    const entity = await publishedEntity(authority);
    const { enrolment, run } = await begun(entity);
    const zone = { [`_holdfast-challenge.${hostOf(entity)}`]: { texts: [enrolment.challenge] } };
    await using server = await serveDns(zone);
    await run({ lookUpText: asking(server) });
    const other = await registry.organisation(authority);
    const input = newEnrolment(other, await publishedEntity(authority, `${entity.identifier}/other`));
    const theirs = await submitEnrolment(registry.context(), input, enrolmentTools(entity));
    const again = await runEnrolmentSteps(
      registry.context(),
      theirs.id,
      'domain',
      enrolmentTools(entity, { lookUpText: asking(server) }),
    );
    expect(domainStep(again)?.reason).toBe('domain_unproven');
  });

  it('F04 shows a name that mixes scripts as what it is', async () => {
    const entity = await publishedEntity(authority, 'https://xn--bnk-6cd.example');
    const { enrolment, run } = await begun(entity);
    expect(domainStep(enrolment)?.evidence).toMatchObject({
      internationalDomain: { unicode: 'b\u0430nk.example', scripts: ['Latin', 'Cyrillic'], isMixed: true },
    });
    const record = '_holdfast-challenge.xn--bnk-6cd.example';
    await using server = await serveDns({ [record]: { texts: [enrolment.challenge] } });
    expect(domainStep(await run({ lookUpText: asking(server) }))?.detail).toContain(
      'mixes Latin and Cyrillic letters: look twice',
    );
  });

  it.each(['elsewhere.example', 'example', 'RP.example', 'xn--', '127.0.0.1', 'a..example', 'x y.example'])(
    'F04 proves no domain that is not above the host: %s',
    async (domain) => {
      const entity = await publishedEntity(authority);
      const input = newEnrolment(organisation, entity, { domain });
      expect(await outcome(submitEnrolment(registry.context(), input, enrolmentTools(entity)))).toBe(
        'validation_failed at /domain',
      );
    },
  );

  it('F04 keeps to the ways that the authority accepts', async () => {
    const onlyFile = await registry.authority({ enrolmentFlow: flowWith([{ step: 'domain', methods: ['https'] }]) });
    const entity = await publishedEntity(onlyFile);
    const { enrolment, run } = await begun(entity, {}, {}, onlyFile);
    await using server = await serveDns({
      [`_holdfast-challenge.${hostOf(entity)}`]: { texts: [enrolment.challenge] },
    });
    expect(domainStep(await run({ lookUpText: asking(server) }))?.outcome).toBe('failed');
    expect(server.names).toEqual([]);
  });
});
