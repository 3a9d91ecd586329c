/** Row F53 of the directory's features, as an operator meets it: what a partner's address may do to the service. */
import { afterAll, describe, expect, it } from 'vitest';
import { relyingParty, startApi } from '../../../support/api-service.ts';
import { outcomes } from '../../../support/enrolment-flow.ts';
import { type CannedResponse, serveFederation } from '../../../support/federation-server.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const authority = await api.service.authority();
const organisation = await api.service.organisation(authority);
const STATEMENT = { 'content-type': 'application/entity-statement+jwt' };

/** How the step that fetches came out. */
async function outcomeOf(entityIdentifier: string): Promise<string | undefined> {
  const body = { organisationId: organisation.id, entityIdentifier };
  const answer = await api.registrar.post('/api/v1/enrolments', body);
  expect([answer.status, answer.body.state]).toEqual([201, 'checks_failed']);
  return outcomes(answer.body).find((outcome) => outcome.startsWith('keys '));
}

describe('F53 the configuration of a partner', () => {
  it.each([
    ['private', 'https://10.0.0.1'],
    ['link-local', 'https://169.254.169.254'],
    ['of a metadata service', 'https://[fd00:ec2::254]'],
    ['unspecified', 'https://[::]'],
  ])('F53 is not fetched from an address that is %s', async (_what, entityIdentifier) => {
    expect(await outcomeOf(entityIdentifier)).toBe('keys failed address_forbidden');
  });

  const answers: [string, CannedResponse, string][] = [
    ['a redirect inwards', { status: 302, headers: { location: 'http://169.254.169.254/' } }, 'redirect_refused'],
    ['more than it may send', { headers: STATEMENT, body: 'x'.repeat(300 * 1024) }, 'response_too_large'],
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<html>' }, 'content_type_unexpected'],
  ];

  it.each(answers)('F53 is not taken from %s', async (_what, answer, reason) => {
    await using partner = await serveFederation({ rp: relyingParty(authority) });
    partner.override(partner.configurationUrl('rp'), answer);
    expect(await outcomeOf(partner.federation.id('rp'))).toBe(`keys failed ${reason}`);
  });
});
