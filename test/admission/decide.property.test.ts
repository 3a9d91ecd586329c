import fc from 'fast-check';
import { expect, it } from 'vitest';
import { credentialState } from '../../src/registry/credentials/credential-standing.ts';
import type { ParticipantState } from '../../src/registry/states.ts';
import {
  ANCHOR,
  API,
  ask,
  CERTIFICATE,
  certificateWith,
  knownState,
  NOW,
  OTHER_ORGANISATION,
  PISP,
  TOKEN,
} from '../support/admission.ts';

/** Often enough that some are admitted, too. */
const mostly = fc.integer({ min: 0, max: 9 }).map((number) => number > 0);
const states = fc.constantFrom<ParticipantState>(
  ...(['active', 'active', 'active', 'active', 'active', 'active', 'pending', 'suspended', 'revoked'] as const),
);
const moment = fc.integer({ min: NOW - 3, max: NOW + 3 });
const date = fc.option(moment, { nil: null });
const dateOf = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000));

const situation = fc.record({
  ageSeconds: fc.double({ min: 0, max: 12, noNaN: true }),
  isKnown: mostly,
  path: fc.option(fc.record({ anchor: fc.constantFrom(ANCHOR.x5tS256, 'gone'), notAfter: moment }), { nil: null }),
  anchors: fc.option(
    fc.array(fc.record({ notBefore: fc.constantFrom(NOW, NOW + 1), notAfter: moment }), { maxLength: 1 }),
    {
      nil: undefined,
    },
  ),
  state: states,
  organisationState: states,
  delegateState: states,
  environment: mostly.map((isHere) => (isHere ? 'production' : 'sandbox')),
  isPisp: mostly,
  validTo: fc.option(moment, { nil: null }),
  life: fc.record({
    state: fc.constantFrom('active' as const, 'active' as const, 'on_hold' as const, 'revoked' as const),
    ...{ notBefore: date, notAfter: date, supersededAt: date },
  }),
  api: fc.constantFrom(undefined, API.id, 'unheard-of'),
  onBehalfOf: fc.constantFrom(undefined, OTHER_ORGANISATION.id, 'unheard-of'),
  isTokenRequired: fc.boolean(),
  token: fc.constantFrom(undefined, TOKEN, { ...TOKEN, boundTo: undefined }, { ...TOKEN, boundTo: 'another' }),
});

it('[B3] the explanation is that of the decision, and nobody is let in who should not be', () => {
  fc.assert(
    fc.property(situation, (s) => {
      const state = knownState({
        ageSeconds: s.ageSeconds,
        certificates: s.isKnown ? [certificateWith({ life: s.life, path: s.path })] : [],
        anchors: s.anchors?.map((dates) => ({ ...ANCHOR, ...dates })),
        application: { state: s.state, environment: s.environment, onBehalfOf: OTHER_ORGANISATION.id },
        organisation: { state: s.organisationState },
        otherOrganisation: { state: s.delegateState },
        roles: s.isPisp ? [{ ...PISP, validTo: s.validTo }] : [],
      });
      const asked = { api: s.api, onBehalfOf: s.onBehalfOf, place: { isTokenRequired: s.isTokenRequired } };
      const said = { token: s.token };

      const { steps: none, ...decision } = ask(asked, state, said);
      const { steps = [], ...explained } = ask(asked, state, said, true);
      expect(none).toBeUndefined();
      expect(explained).toEqual(decision);
      const failed = steps.flatMap(({ reason }) => (reason === null ? [] : [reason]));
      expect([...new Set(failed)]).toEqual(decision.reasons);
      expect(decision.decision).toBe(failed.length === 0 ? 'allow' : 'deny');

      const { notBefore, notAfter, supersededAt } = s.life;
      const life = { state: s.life.state, ...{ notBefore: dateOf(notBefore), notAfter: dateOf(notAfter) } };
      const [listed] = s.anchors ?? [];
      const ends = listed && s.path ? [listed.notAfter, s.path.notAfter] : [];
      const isBelowList = ends.length > 0 && s.path?.anchor === ANCHOR.x5tS256 && listed?.notBefore === NOW;
      const isTrusted = s.anchors === undefined || (isBelowList && ends.every((end) => NOW <= end));
      const holdsRole = s.isPisp && (s.validTo === null || NOW < s.validTo);
      const mayPass = [
        ...[s.ageSeconds <= 10, s.isKnown, isTrusted, s.environment === 'production'],
        ...[s.state === 'active', s.organisationState === 'active'],
        credentialState({ ...life, supersededAt: dateOf(supersededAt) }, new Date(NOW * 1000)) === 'active',
        s.api === undefined || (s.api === API.id && holdsRole),
        s.onBehalfOf === undefined || (s.onBehalfOf === OTHER_ORGANISATION.id && s.delegateState === 'active'),
        s.token === undefined ? !s.isTokenRequired : s.token.boundTo === CERTIFICATE.x5tS256,
      ].every(Boolean);
      expect(decision.decision).toBe(mayPass ? 'allow' : 'deny');
      if (mayPass) expect(decision.validUntil).toBeGreaterThanOrEqual(NOW);
      else expect(decision.validUntil).toBe(NOW);
    }),
    { numRuns: 1000 },
  );
});
