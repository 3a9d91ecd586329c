/** Trust Marks of our own authorities in resolve answers. The authorities cannot be asked over HTTP: nobody is there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { renewTrustMark } from '../../../src/registry/trust-marks/renew-trust-mark.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import { transitionTrustMarkType } from '../../../src/registry/trust-marks/transition-trust-mark-type.ts';
import type { NamedTrustMark } from '../../../src/registry/trust-marks/trust-mark.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { claimsOf, jwtOf } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { freshIdentifier } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { bear, entry } from '../../support/trust-marks.ts';

describe.each(DATABASE_KINDS)('resolve, about a mark of an authority of ours on the %s database', (kind) => {
  let service: TestService;
  let authority: Authority;
  let server: FederationServer;
  let type: TrustMarkType;
  let mark: NamedTrustMark;
  let jwt: string;

  beforeAll(async () => {
    service = await startTestService(kind);
    const entityIdentifier = freshIdentifier('issuer');
    const trustMarkType = `${entityIdentifier}/marks/own`;
    authority = await service.authority({
      entityIdentifier,
      trustMarkIssuers: { [trustMarkType]: [entityIdentifier] },
    });
    type = await service.trustMarkType(authority, { trustMarkType });
    const rp = { superiors: [entityIdentifier], metadata: { openid_relying_party: {} } };
    server = await serveFederation({ rp }, { clock: service.clock });
    const { entityIdentifier: sub } = await service.admit(
      await service.organisation(authority),
      server.federation,
      'rp',
    );
    mark = await service.trustMark(type, sub);
    const given = await service.ask(authority, 'trustMark', { trust_mark_type: trustMarkType, sub });
    jwt = await jwtOf(given, MEDIA_TYPE.trustMark);
    bear(server.federation, 'rp', entry(jwt, trustMarkType));
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await server[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  /** What the resolve endpoint says. */
  async function resolved(): Promise<Record<string, unknown>> {
    const query = { sub: mark.subject, trust_anchor: authority.entityIdentifier };
    const headers = await service.bearer(['auditor']);
    const response = await service.ask(authority, 'resolve', query, { headers });
    return claimsOf(await jwtOf(response, MEDIA_TYPE.resolveResponse));
  }

  const resolvedMarks = async (): Promise<unknown> => (await resolved())['trust_marks'];

  it('[OIDFED-8.3-9] lasts no longer than the grant, also where that was shortened after the mark was signed', async () => {
    const end = service.clock.now() + 300;
    await renewTrustMark(service.context(), mark.id, { expiresAt: new Date(end * 1000) });
    expect(claimsOf(jwt)['exp']).toBeGreaterThan(end);
    const { trust_marks: shown, exp } = await resolved();
    expect([shown, exp]).toEqual([[entry(jwt, type.trustMarkType)], end]);
    service.clock.advance(300);
    expect(await resolvedMarks()).toBeUndefined();
    await renewTrustMark(service.context(), mark.id, { expiresAt: null });
  });

  it('[OIDFED-8.3-9] has it while it stands, and at the same seq no longer once it does not', async () => {
    const shown = [entry(jwt, type.trustMarkType)];
    expect(await resolvedMarks()).toEqual(shown);
    await transitionTrustMarkType(service.context(), type.id, 'retire', 'a test');
    expect(await resolvedMarks()).toBeUndefined();
    await transitionTrustMarkType(service.context(), type.id, 'reinstate', 'a test');
    expect(await resolvedMarks()).toEqual(shown);
    await transitionTrustMark(service.context(), mark.id, 'withdraw', 'a test');
    expect(await resolvedMarks()).toBeUndefined();
  });
});
