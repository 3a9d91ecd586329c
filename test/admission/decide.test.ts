import { describe, expect, it } from 'vitest';
import type { TokenVerdict } from '../../src/admission/admission-question.ts';
import type { KnownCertificate } from '../../src/registry/participants/known-participants.ts';
import {
  ANCHOR,
  API,
  ask,
  CERTIFICATE,
  certificateWith,
  knownState,
  letOffFrom,
  NOW,
  ORGANISATION,
  OTHER_ORGANISATION,
  PARTICIPANT,
  PISP,
  TOKEN,
} from '../support/admission.ts';

const certificateOf = (applicationId: string) => certificateWith({ applicationId });
const CHAIN = { trustAnchor: 'https://anchor.example', trustMarkTypes: [], expiresAt: NOW + 4 };

describe('[F40] a certificate is admitted only as that of an active participant', () => {
  it('allows an active application with its certificate, and says who it is and until when that holds', () => {
    const decision = ask({});
    expect(decision).toMatchObject({ decision: 'allow', reasons: [], seq: 42, evaluatedAt: NOW });
    expect(decision.participant).toEqual({ application: PARTICIPANT, organisation: ORGANISATION });
    expect(decision.validUntil).toBe(NOW + 9);
    expect(decision.permissions).toEqual({ newAuthorization: true, useExisting: true, withdrawConsent: true });
  });

  it('denies a certificate that nobody registered, and says nothing of anybody', () => {
    const decision = ask({ certificate: { x5tS256: 'x'.repeat(43) } });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['unknown_participant'], roles: [], validUntil: NOW });
    expect(decision.participant).toBeUndefined();
    expect(decision.permissions).toEqual({ newAuthorization: false, useExisting: false, withdrawConsent: false });
  });

  it.each([
    ['none', 'certificate_missing'],
    ['malformed', 'certificate_malformed'],
  ] as const)('denies a certificate that is %s', (certificate, reason) => {
    expect(ask({ certificate })).toMatchObject({ decision: 'deny', reasons: [reason] });
  });

  it.each([
    ['revoked', { state: 'revoked' as const }, 'certificate_revoked'],
    ['on hold', { state: 'on_hold' as const }, 'certificate_on_hold'],
    ['not valid yet', { notBefore: NOW + 1 }, 'certificate_not_yet_valid'],
    ['expired', { notAfter: NOW - 1 }, 'certificate_expired'],
    ['superseded', { supersededAt: NOW }, 'certificate_superseded'],
  ])('denies a certificate that is %s', (_, life, reason) => {
    const state = knownState({ certificates: [certificateWith({ life })] });
    expect(ask({}, state)).toMatchObject({ decision: 'deny', reasons: [reason] });
  });

  it('allows a certificate in the last second of its validity, and not a second longer', () => {
    const state = knownState({ certificates: [certificateWith({ life: { notAfter: NOW } })] });
    expect(ask({}, state)).toMatchObject({ decision: 'allow', validUntil: NOW + 1 });
  });

  it('goes by the record that counts where a certificate was registered again', () => {
    const ended = certificateWith({ life: { state: 'revoked' }, applicationId: 'another' });
    expect(ask({}, knownState({ certificates: [ended, CERTIFICATE] })).decision).toBe('allow');
    const both = knownState({ certificates: [ended, certificateWith({ life: { state: 'on_hold' } })] });
    expect(ask({}, both).reasons).toEqual(['certificate_on_hold']);
    const until = (seconds: number) => certificateWith({ life: { notAfter: NOW + seconds } });
    expect(ask({}, knownState({ certificates: [until(3), until(5)] })).validUntil).toBe(NOW + 6);
  });

  it('goes by the last record whose application and organisation count as well', () => {
    const known = knownState({ certificates: ['left', PARTICIPANT.id, 'left'].map(certificateOf) });
    for (const left of [
      { ...PARTICIPANT, id: 'left', state: 'withdrawn' as const },
      { ...PARTICIPANT, id: 'left', organisationId: 'gone' },
    ]) {
      const application = (id: string) => (id === 'left' ? left : known.application(id));
      const state = {
        ...known,
        application,
        applicationOf: ({ applicationId }: KnownCertificate) => application(applicationId),
        organisation: (id: string) =>
          id === 'gone' ? { ...ORGANISATION, id, state: 'revoked' as const } : known.organisation(id),
      };
      expect(ask({}, state).participant?.application.id).toBe(PARTICIPANT.id);
      expect(ask({}, { ...state, certificates: () => ['left'].map(certificateOf) }).decision).toBe('deny');
    }
  });

  it('counts a certificate whose place was taken no longer from that second on', () => {
    const at = (supersededAt: number) =>
      ask({}, knownState({ certificates: [certificateWith({ life: { supersededAt } })] }));
    expect(at(NOW)).toMatchObject({ decision: 'deny', reasons: ['certificate_superseded'] });
    expect(at(NOW + 1)).toMatchObject({ decision: 'allow', validUntil: NOW + 1 });
  });

  it('takes no state that it does not know for active', () => {
    const state = 'merged' as 'active';
    for (const known of [
      { application: { state } },
      { organisation: { state } },
      { certificates: [certificateWith({ life: { state } })] },
    ]) {
      const { decision, permissions } = ask({}, knownState(known));
      expect([decision, ...Object.values(permissions)]).toEqual(['deny', false, false, false]);
    }
  });

  it('permits what is left to somebody suspended, unless anything else is wrong', () => {
    const suspended = { application: { state: 'suspended' as const, entityIdentifier: 'https://rp.example' } };
    const left = { newAuthorization: false, useExisting: false, withdrawConsent: true };
    expect(ask({}, knownState(suspended)).permissions).toEqual(left);
    for (const known of [
      { certificates: [certificateWith({ life: { state: 'revoked' } })] },
      { ageSeconds: 11 },
      { application: { ...suspended.application, environment: 'sandbox' } },
    ]) {
      expect(ask({}, knownState({ ...suspended, ...known })).permissions.withdrawConsent).toBe(false);
    }
    const byName = knownState({ ...suspended, exceptions: [letOffFrom('no_mtls', NOW + 2)] });
    const question = { certificate: 'none' as const, entityId: PARTICIPANT.entityIdentifier };
    expect(ask(question, byName)).toMatchObject({ reasons: ['suspended'], permissions: { withdrawConsent: false } });
  });

  it('believes only certificates below the trust list of now, where there is one', () => {
    const { path } = CERTIFICATE;
    if (path === null) throw new Error('it has one');
    const listed = (changes: Partial<typeof ANCHOR>, notAfter = path.notAfter) =>
      ask(
        {},
        knownState({
          certificates: [certificateWith({ path: { ...path, notAfter } })],
          anchors: [{ ...ANCHOR, ...changes }],
        }),
      );
    expect(listed({}).decision).toBe('allow');
    expect(listed({ notAfter: NOW })).toMatchObject({ decision: 'allow', validUntil: NOW + 1 });
    expect(listed({}, NOW)).toMatchObject({ decision: 'allow', validUntil: NOW + 1 });
    const untrusted = { decision: 'deny', reasons: ['chain_untrusted'] };
    expect(listed({ x5tS256: 'b'.repeat(43) })).toMatchObject(untrusted);
    expect(listed({ notAfter: NOW - 1 })).toMatchObject(untrusted);
    expect(listed({ notBefore: NOW + 1 })).toMatchObject(untrusted);
    expect(listed({}, NOW - 1)).toMatchObject(untrusted);
    const nowhere = [certificateWith({ path: null })];
    expect(ask({}, knownState({ certificates: nowhere, anchors: [ANCHOR] }))).toMatchObject(untrusted);
    expect(ask({}, knownState({ certificates: [CERTIFICATE], anchors: [] }))).toMatchObject(untrusted);
    expect(ask({}, knownState({ certificates: nowhere })).decision).toBe('allow');
  });

  it('lets nobody in through an enforcement point that has ended', () => {
    for (const state of ['suspended', 'removed'] as const) {
      expect(ask({ place: { state } })).toMatchObject({ decision: 'deny', reasons: ['enforcement_point_ended'] });
    }
  });

  it('knows an API no longer once it has retired', () => {
    const retiring = (retiresAt: number) => ask({ api: API.id }, knownState({ apis: [{ ...API, retiresAt }] }));
    expect(retiring(NOW + 1)).toMatchObject({ decision: 'allow', validUntil: NOW + 1 });
    expect(retiring(NOW)).toMatchObject({ decision: 'deny', reasons: ['api_unknown'] });
  });

  it.each([
    ['suspended', 'suspended'],
    ['withdrawn', 'withdrawn'],
    ['revoked', 'revoked'],
    ['pending', 'not_approved'],
    ['rejected', 'not_approved'],
  ] as const)('denies what is %s, be it the application or its organisation', (state, reason) => {
    for (const known of [{ application: { state } }, { organisation: { state } }]) {
      expect(ask({}, knownState(known))).toMatchObject({ decision: 'deny', reasons: [reason] });
    }
  });

  it('names every reason that it knows of, in the order of the steps', () => {
    const application = { state: 'suspended', environment: 'sandbox', mode: 'test' } as const;
    const state = knownState({ application, certificates: [certificateWith({ life: { state: 'revoked' } })] });
    expect(ask({ api: API.id }, state).reasons).toEqual(['certificate_revoked', 'suspended', 'wrong_environment']);
  });
});

describe('F56 what is enrolled for one environment is not admitted in another', () => {
  it.each([
    { mode: 'test' as const, environment: 'production' },
    { mode: 'live' as const, environment: 'sandbox' },
    { mode: 'test' as const, environment: 'sandbox' },
  ])('denies an application of live production at $mode $environment', (place) => {
    expect(ask({ place })).toMatchObject({ decision: 'deny', reasons: ['wrong_environment'] });
  });

  it('says of the application of another authority no more than of nobody', () => {
    const decision = ask({ place: { authorityId: 'another' } }, knownState({}), {}, true);
    expect(decision).toEqual(ask({ place: { authorityId: 'another' } }, knownState({ certificates: [] }), {}, true));
    expect(decision).toMatchObject({ reasons: ['unknown_participant'], participant: undefined, roles: [] });
  });
});

describe('[F44] what a node knows counts for a limited time', () => {
  it('denies everybody once the registry was not heard of for longer than the enforcement point lets it', () => {
    expect(ask({}, knownState({ ageSeconds: 10 }))).toMatchObject({ decision: 'allow', validUntil: NOW });
    expect(ask({}, knownState({ ageSeconds: 10.1 }))).toMatchObject({ decision: 'deny', reasons: ['state_stale'] });
    expect(ask({}, knownState({ ageSeconds: Number.NaN })).reasons).toEqual(['state_stale']);
    expect(ask({ place: { maxStalenessSeconds: Number.NaN } }).reasons).toEqual(['state_stale']);
  });
});

describe('an API asks for roles', () => {
  it('allows an application that holds one of them', () => {
    expect(ask({ api: API.id })).toMatchObject({ decision: 'allow', roles: [PISP] });
  });

  it('denies an application that holds none now, though it did or will', () => {
    for (const role of [
      { ...PISP, validTo: NOW },
      { ...PISP, validFrom: NOW + 1 },
      { ...PISP, roleId: 'another' },
    ]) {
      expect(ask({ api: API.id }, knownState({ roles: [role] }))).toMatchObject({
        decision: 'deny',
        reasons: ['role_missing'],
      });
    }
  });

  it('takes the API of the enforcement point where the request names none', () => {
    expect(ask({ place: { apiId: API.id } }, knownState({ roles: [] }))).toMatchObject({ reasons: ['role_missing'] });
  });

  it('takes no other API than that of the enforcement point', () => {
    const place = { apiId: API.id };
    expect(ask({ place, api: API.id }).decision).toBe('allow');
    expect(ask({ place, api: 'another' }, knownState({ apis: [API, { ...API, id: 'another' }] }))).toMatchObject({
      ...{ decision: 'deny', reasons: ['api_mismatch'] },
    });
  });

  it('denies an API that is not recorded, or recorded with another authority', () => {
    expect(ask({ api: 'unheard-of' })).toMatchObject({ reasons: ['api_unknown'] });
    const state = knownState({ apis: [{ ...API, authorityId: 'another' }] });
    expect(ask({ api: API.id }, state)).toMatchObject({ reasons: ['api_unknown'] });
  });

  it('lets the answer outlive no role that it names', () => {
    expect(ask({}, knownState({ roles: [{ ...PISP, validTo: NOW + 5 }] })).validUntil).toBe(NOW + 5);
  });
});

describe('somebody acts on behalf of another only where the registry records it and both are active', () => {
  const acting = { application: { onBehalfOf: OTHER_ORGANISATION.id } };

  it('allows what is recorded', () => {
    const decision = ask({ onBehalfOf: OTHER_ORGANISATION.id }, knownState(acting));
    expect(decision).toMatchObject({ decision: 'allow', onBehalfOf: OTHER_ORGANISATION });
  });

  it('denies what is not', () => {
    const another = ask({ onBehalfOf: 'another' }, knownState(acting));
    const nobody = ask({ onBehalfOf: OTHER_ORGANISATION.id });
    expect([another.reasons, nobody.reasons]).toEqual([['delegation_unknown'], ['delegation_unknown']]);
  });

  it('denies it while the other is not active', () => {
    const ended = knownState({ ...acting, otherOrganisation: { state: 'suspended' } });
    expect(ask({ onBehalfOf: OTHER_ORGANISATION.id }, ended).reasons).toEqual(['delegation_ended']);
    expect(ask({}, ended).decision).toBe('allow');
  });
});

describe('[F43] a token is worth nothing without the certificate that it is bound to', () => {
  it('allows a token that is bound to the certificate, and until it expires', () => {
    const decision = ask({}, knownState({}), { token: { ...TOKEN, expiresAt: NOW + 3 } });
    expect(decision).toMatchObject({ decision: 'allow', validUntil: NOW + 3 });
  });

  it('denies a token that is bound to another certificate', () => {
    const decision = ask({}, knownState({}), { token: { ...TOKEN, boundTo: 'y'.repeat(43) } });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['cnf_mismatch'] });
  });

  it('denies a token that is bound to none, unless that was approved and lasts', () => {
    const unbound = { token: { ...TOKEN, boundTo: undefined } };
    expect(ask({}, knownState({}), unbound)).toMatchObject({ reasons: ['token_not_bound'] });
    const letOff = (endsAt: number) =>
      ask({}, knownState({ exceptions: [letOffFrom('unbound_token', endsAt)] }), unbound);
    expect(letOff(NOW + 2)).toMatchObject({ decision: 'allow', exceptions: ['unbound_token'], validUntil: NOW + 2 });
    expect(letOff(NOW)).toMatchObject({ decision: 'deny', reasons: ['token_not_bound'] });
  });

  it('denies a token that is bound to none and was issued to somebody else, whatever was approved', () => {
    const exceptions = [letOffFrom('unbound_token', NOW + 2)];
    for (const clientId of ['another', undefined]) {
      const token = { ...TOKEN, boundTo: undefined, clientId };
      for (const state of [knownState({}), knownState({ exceptions })]) {
        expect(ask({}, state, { token })).toMatchObject({ decision: 'deny', reasons: ['client_mismatch'] });
      }
    }
  });

  it('denies a token that has expired since it was verified', () => {
    for (const expiresAt of [NOW, Number.NaN]) {
      expect(ask({}, knownState({}), { token: { ...TOKEN, expiresAt } }).reasons).toEqual(['token_expired']);
    }
  });

  it('denies no token where one is required', () => {
    expect(ask({ place: { isTokenRequired: true } })).toMatchObject({ reasons: ['token_missing'] });
  });

  it('gives the reason of whoever verified it', () => {
    const decision = ask({}, knownState({}), {
      token: { reason: 'audience_mismatch', detail: 'for another' },
    });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['audience_mismatch'] });
  });

  it('needs nobody to verify the token of a participant that is denied anyway', () => {
    const decision = ask({ isTokenPresented: true }, knownState({ certificates: [] }));
    expect(decision).toMatchObject({ reasons: ['unknown_participant'], needed: undefined });
  });
});

describe('[B2] the Trust Chain is part of the decision', () => {
  it('allows an application whose chain leads to the Trust Anchor, and until it expires', () => {
    const decision = ask({ entityId: PARTICIPANT.entityIdentifier }, knownState({}), { chain: CHAIN });
    expect(decision).toMatchObject({ decision: 'allow', chain: CHAIN, validUntil: NOW + 4 });
  });

  it('denies the name of another, without resolving it', () => {
    const decision = ask({ entityId: 'https://another.example' });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['entity_mismatch'] });
  });

  it('denies an application whose chain has expired since it was resolved', () => {
    const chain = { ...CHAIN, expiresAt: NOW };
    const decision = ask({ entityId: PARTICIPANT.entityIdentifier }, knownState({}), { chain });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['trust_chain_invalid'], chain: undefined });
  });

  it('denies an application whose chain is not valid', () => {
    const chain = { reason: 'trust_chain_invalid' as const, detail: 'no chain' };
    const decision = ask({ entityId: PARTICIPANT.entityIdentifier }, knownState({}), { chain });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['trust_chain_invalid'], chain: undefined });
  });
});

describe('a legacy partner may be let off mTLS for a while', () => {
  const letOff = (endsAt: number) => knownState({ exceptions: [letOffFrom('no_mtls', endsAt)] });
  const question = { certificate: 'none' as const, entityId: PARTICIPANT.entityIdentifier };

  it('is found by its name while the exception lasts, and needs a token all the same', () => {
    const state = letOff(NOW + 2);
    expect(ask(question, state)).toMatchObject({ decision: 'deny', reasons: ['token_missing'] });
    const withToken = (changes: Partial<typeof TOKEN>) =>
      ask(question, state, {
        chain: CHAIN,
        token: { ...TOKEN, boundTo: undefined, ...changes } as TokenVerdict,
      });
    expect(withToken({ clientId: PARTICIPANT.entityIdentifier })).toMatchObject({
      ...{ decision: 'allow', exceptions: ['no_mtls'], validUntil: NOW + 2 },
    });
    expect(withToken({ clientId: 'another' })).toMatchObject({ reasons: ['client_mismatch'] });
    expect(withToken({ clientId: undefined })).toMatchObject({ reasons: ['client_mismatch'] });
    expect(withToken({ ...TOKEN, clientId: PARTICIPANT.entityIdentifier })).toMatchObject({
      reasons: ['cnf_mismatch'],
    });
  });

  it('is nobody without an exception, after its end, or when nothing names it', () => {
    for (const [asked, state] of [
      [question, knownState({})],
      [{ ...question, entityId: 'https://another.example' }, letOff(NOW + 2)],
      [question, letOff(NOW)],
      [{ certificate: 'none' as const }, letOff(NOW + 2)],
    ] as const) {
      expect(ask(asked, state)).toMatchObject({ decision: 'deny', reasons: ['certificate_missing'] });
    }
  });
});

describe('[B3] the explanation is made by the engine that decides', () => {
  it('gives every step with what it found, who can mend it and how', () => {
    const { steps = [] } = ask({ certificate: { x5tS256: 'x'.repeat(43) } }, knownState({}), {}, true);
    expect(steps.map(({ check, outcome, reason }) => [check, outcome, reason])).toEqual([
      ['state', 'passed', null],
      ['certificate', 'passed', null],
      ['participant', 'failed', 'unknown_participant'],
      ...[
        'validity',
        'issuer',
        'standing',
        'place',
        'entity',
        'delegation',
        'api',
        'token',
        'binding',
        'trust_chain',
      ].map((check) => [check, 'skipped', null]),
    ]);
    expect(steps[2]).toMatchObject({ canMend: 'partner', hint: expect.stringContaining('register this certificate') });
  });

  it('is not made for those who do not ask', () => {
    expect(ask({}).steps).toBeUndefined();
  });
});

describe('what others have to say', () => {
  const asked = { isTokenPresented: true, entityId: PARTICIPANT.entityIdentifier };

  it('is asked for one after the other, and nobody is admitted before', () => {
    const permissions = { newAuthorization: false, useExisting: false, withdrawConsent: false };
    const denied = { decision: 'deny', validUntil: NOW, permissions };
    expect(ask(asked)).toMatchObject({ ...denied, needed: 'token' });
    expect(ask(asked, knownState({}), { chain: CHAIN })).toMatchObject({ ...denied, needed: 'token' });
    expect(ask(asked, knownState({}), { token: TOKEN })).toMatchObject({ ...denied, needed: 'chain' });
    const settled = { token: TOKEN, chain: CHAIN };
    expect(ask(asked, knownState({}), settled)).toMatchObject({ decision: 'allow', needed: undefined });
  });

  it('admits nobody who was suspended while they were asked', () => {
    const suspended = knownState({ application: { state: 'suspended' } });
    const decision = ask(asked, suspended, { token: TOKEN, chain: CHAIN });
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['suspended'], needed: undefined });
  });

  it('is not asked for where the token is not accepted', () => {
    const token = { ...TOKEN, boundTo: 'another' };
    expect(ask(asked, knownState({}), { token })).toMatchObject({ reasons: ['cnf_mismatch'], needed: undefined });
  });
});
