/** Trust Anchors that are posed as, re-keyed, taken over or not there, over real HTTP. @see OIDFED §10.1, §10.2 */
import { describe, it } from 'vitest';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { FederationServer } from '../support/federation-server.ts';
import { expectOutcome, type HostileCase } from '../support/hostile-federation.ts';
import { testKey } from '../support/keys.ts';

const HINTS = 'Entity Configuration /authority_hints';

const ANCHORS: HostileCase[] = [
  {
    title: 'an Intermediate that publishes a configuration in the name of the Trust Anchor',
    entities: { anchor: {}, poser: { superiors: ['anchor'] }, op: { superiors: ['poser'] } },
    tamper: ({ federation }) => {
      federation.entity('poser').claims = { iss: federation.id('anchor'), sub: federation.id('anchor') };
    },
    outcome: ['invalid_trust_chain', 'op poser: subject_mismatch (§3.2) at Entity Configuration /sub'],
  },
  {
    title: '[OIDFED-10.2-4] a Trust Anchor that signs with another key than the pinned one',
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    pinned: async ({ federation }) =>
      new Map([[federation.id('anchor'), { keys: [(await testKey('ES256', 90)).jwk] }]]),
    outcome: ['invalid_trust_chain', 'op anchor: trust_anchor_key_unknown (§10.2) at ES[2] header/kid'],
  },
  {
    title: 'a Trust Anchor whose new key has the kid of the pinned one',
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    pinned: async ({ federation }) => {
      const kid = federation.entity('anchor').keys[0]?.kid ?? '';
      return new Map([[federation.id('anchor'), { keys: [{ ...(await testKey('ES256', 90)).jwk, kid }] }]]);
    },
    outcome: ['invalid_trust_chain', 'op anchor: signature_invalid (§3.2) at ES[2] header/kid'],
  },
  {
    title: 'a Trust Anchor that lists the pinned key and signs with another',
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    tamper: async ({ federation }) => {
      const anchor = federation.entity('anchor');
      anchor.keys = [await testKey('ES256', 90), ...anchor.keys];
    },
    pinned: ({ federation }) => {
      const [, pinned] = federation.jwks('anchor').keys;
      return new Map([[federation.id('anchor'), { keys: pinned === undefined ? [] : [pinned] }]]);
    },
    outcome: ['invalid_trust_chain', 'op anchor: trust_anchor_key_unknown (§10.2) at ES[2] header/kid'],
  },
  {
    title: "a Trust Anchor's configuration that a stranger signed",
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    tamper: async (server) => {
      const body = await server.federation.configuration('anchor', { key: await testKey('ES256', 90) });
      server.override(server.configurationUrl('anchor'), { body });
    },
    outcome: ['invalid_trust_chain', 'op anchor: key_not_found (§3.2) at Entity Configuration header/kid'],
  },
  {
    title: "a Trust Anchor's configuration and statements that a stranger signed and gave keys of its own",
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    tamper: async (server) => {
      const key = await testKey('ES256', 90);
      const claims = { jwks: { keys: [key.jwk] } };
      server.override(server.configurationUrl('anchor'), {
        body: await server.federation.configuration('anchor', { key, claims }),
      });
      server.override(server.fetchUrl('anchor', 'op'), {
        body: await server.federation.subordinateStatement('anchor', 'op', { key }),
      });
    },
    outcome: ['invalid_trust_chain', 'op anchor: trust_anchor_key_unknown (§10.2) at ES[2] header/kid'],
  },
  {
    title: '[OIDFED-10.1-2] a superior that belongs to another federation',
    entities: { anchor: {}, foreign: {}, op: { superiors: ['foreign'] } },
    outcome: ['invalid_trust_chain', `op foreign: trust_anchor_unknown (§10.2) at ${HINTS}`],
  },
  {
    title: '[OIDFED-10.1-5] no Trust Anchor at all',
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    anchors: [],
    outcome: ['invalid_trust_chain', `op anchor: trust_anchor_unknown (§10.2) at ${HINTS}`],
  },
  {
    title: 'a subject without a superior',
    entities: { anchor: {}, op: {} },
    outcome: ['invalid_trust_chain', `op: no_authority_hints (§10.1) at ${HINTS}`],
  },
  {
    title: 'a subject that lists no superior',
    entities: { anchor: {}, op: { claims: { authority_hints: [] } } },
    outcome: ['invalid_trust_chain', 'op: authority_hints_invalid (§3.1.2) at Entity Configuration /authority_hints'],
  },
  {
    title: 'a subject that skips its Immediate Superior',
    entities: { anchor: {}, lower: { superiors: ['anchor'] }, op: { superiors: ['lower'] } },
    tamper: ({ federation }) => hint(federation, federation.id('anchor')),
    outcome: ['invalid_trust_chain', 'op anchor: subject_not_active (§8.1) at Subordinate Statement'],
  },
  {
    title: 'a superior that hands out no statements',
    entities: { anchor: {}, leaf: { superiors: ['anchor'] }, op: {} },
    tamper: ({ federation }) => hint(federation, federation.id('leaf')),
    outcome: [
      'invalid_trust_chain',
      'op leaf: fetch_endpoint_missing (§8.1) at Subordinate Statement /metadata/federation_entity/federation_fetch_endpoint',
    ],
  },
];

describe('Trust Anchors and who stands below', () => {
  it.each(ANCHORS)('$title', (hostile) => expectOutcome(hostile));
});

function hint(federation: FederationServer['federation'], ...hints: string[]): void {
  federation.entity('op').claims = { authority_hints: hints as EntityIdentifier[] };
}
