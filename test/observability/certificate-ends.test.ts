/** Ends of certificates that we issued, where operators watch them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificateCode, requestWithCode } from '../../src/registry/certification/certificate-codes.ts';
import type { Credential } from '../../src/registry/credentials/credential.ts';
import { revokeCredential } from '../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { requestDer } from '../support/certificate-requests.ts';
import { certificationAuthority, certificationContext } from '../support/certification.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let entity: Entity;
beforeAll(async () => {
  service = await startTestService('embedded');
  // What has ended by the clock of the database is left out.
  service.clock.advance(Math.floor(Date.now() / 1000) - service.clock.now());
});
afterAll(() => service[Symbol.asyncDispose]());

async function issued(profile: 'client' | 'signing'): Promise<Credential> {
  const { code } = await makeCertificateCode(service.context(), entity.id, { profile });
  const context = certificationContext(service, undefined, service.context());
  const { credential } = await requestWithCode(context, { code, request: requestDer() });
  if (credential === null) throw new Error('nothing was issued');
  return credential;
}

describe('[F29] holdfast_credential_not_after_seconds', () => {
  it('tells by authority and usage when the next certificate ends, of those that count', async () => {
    const authority = await service.authority();
    await certificationAuthority(service, authority, { validityDays: { client: 30, server: 30, signing: 60 } });
    entity = await service.entity(await service.organisation(authority));
    const [revoked, client, signing] = [await issued('client'), await issued('client'), await issued('signing')];
    await revokeCredential(service.context(), revoked.id, { reasonCode: 'superseded', reason: 'by a test' });
    service.clock.advance(3600);
    await issued('client');

    const text = await service.metrics();
    const shown = text.split('\n').filter((line) => line.startsWith('holdfast_credential_not_after_seconds{'));
    const lineOf = ({ notAfter }: Credential, usage: string) => {
      const labels = `authority="${authority.entityIdentifier}",kind="x509",usage="${usage}"`;
      return `holdfast_credential_not_after_seconds{${labels}} ${(notAfter?.getTime() ?? 0) / 1000}`;
    };
    expect(shown.toSorted()).toEqual([lineOf(signing, 'signing'), lineOf(client, 'transport')]);
    expect(signing.notAfter?.getTime()).toBeGreaterThan(client.notAfter?.getTime() ?? 0);
  });
});
