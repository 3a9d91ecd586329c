import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { JsonObject, JsonValue } from '../../src/federation/json.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import { lintResolveResponse } from '../../src/federation/lint/lint-resolve-response.ts';
import { lintSubordinateEvents } from '../../src/federation/lint/lint-subordinate-events.ts';
import { lintTrustMarkStatus } from '../../src/federation/lint/lint-trust-mark-status.ts';
import type { LintedStatement } from '../../src/federation/lint/linted-statement.ts';
import { TYP, type Typ } from '../../src/federation/media-types.ts';
import { parseSignedJwt, verifySignature } from '../../src/federation/signature.ts';
import type { StatementOptions } from '../../src/federation/statement/entity-statement.ts';
import {
  validateEntityConfiguration,
  validateSubordinateStatement,
} from '../../src/federation/statement/validate-statement.ts';
import { validateHistoricalKeys } from '../../src/federation/trust-chain/historical-keys.ts';
import { validateTrustChain } from '../../src/federation/trust-chain/validate-trust-chain.ts';
import { parseTrustMarkDelegation } from '../../src/federation/trust-mark/delegation.ts';
import { parseTrustMarkStatus } from '../../src/federation/trust-mark/status-response.ts';
import { buildEntityConfiguration, firstTrustMarkExpiry } from '../../src/issuance/entity-configuration.ts';
import { buildHistoricalKeys, signHistoricalKeys } from '../../src/issuance/historical-keys.ts';
import { lintOwn, StatementUnfit } from '../../src/issuance/lint-own.ts';
import { signStatement } from '../../src/issuance/statement-issuer.ts';
import { buildSubordinateStatement, firstKeyExpiry } from '../../src/issuance/subordinate-statement.ts';
import { delegationSigner } from '../../src/issuance/trust-marks/delegation-signer.ts';
import type { Authority, AuthorityKey } from '../../src/registry/authorities/authority.ts';
import type { ServedAuthority } from '../../src/registry/authorities/authority-directory.ts';
import type { Subordinate } from '../../src/registry/entities/read-subordinate.ts';
import { RegistryError } from '../../src/registry/registry-error.ts';
import type { GivenRole } from '../../src/registry/roles/given-roles.ts';
import type { HeldTrustMark } from '../../src/registry/trust-marks/held-trust-mark.ts';
import { buildFederation, NOW } from '../support/federation.ts';
import { offCurve, testKey, weakRsaKey } from '../support/keys.ts';
import { testSigner } from '../support/registry.ts';
import { MEMBER, trustMark } from '../support/trust-marks.ts';

/** How much of everything is tried; what is signed costs two signatures and some verifications. */
const RUNS = 400;

const federation = await buildFederation({ anchor: {}, subject: { superiors: ['anchor'] }, issuer: {} });
const [anchor, subject] = [federation.id('anchor'), federation.id('subject')];
const key = await testSigner.generateKey('1', 'ES256');
const jwks: JwkSet = { keys: [key.publicJwk] };
/** As a relying party of the same federation, without any leeway for clocks. */
const reader: StatementOptions & { now: number; leewaySeconds: number } = {
  now: NOW,
  leewaySeconds: 0,
  understoodClaims: new Set(['level', 'jwks']),
};

/** Calls of the key; whatever is refused must not add to them. */
let signatures = 0;
const signer = {
  ...testSigner,
  sign: async (...given: Parameters<typeof testSigner.sign>) => {
    signatures++;
    return await testSigner.sign(...given);
  },
};
const houseRules = { maxLifetimeSeconds: 90 * 86_400, understoodClaims: reader.understoodClaims };
const signing = { signer, random: () => 0.5, houseRules };

/** The JWT, or undefined where the records cannot be signed: then the key was not reached. */
async function signedUnlessUnfit(sign: () => Promise<{ jwt: string }>): Promise<string | undefined> {
  const before = signatures;
  try {
    const { jwt } = await sign();
    expect(signatures).toBe(before + 1);
    return jwt;
  } catch (error) {
    if (!(error instanceof StatementUnfit || error instanceof RegistryError)) throw error;
    expect(signatures).toBe(before);
    return undefined;
  }
}

async function verdict(step: () => Promise<unknown>): Promise<string> {
  try {
    await step();
    return 'accepted';
  } catch (error) {
    if (error instanceof FederationError) return `${error.reason} at ${error.at}`;
    throw error;
  }
}

/** A legal value most of the time, or else an odd one. */
function mostly<T>(legal: fc.Arbitrary<T>, ...odd: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: legal }, { weight: 1, arbitrary: fc.oneof(...odd) as fc.Arbitrary<T> });
}

const anyJson = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
const nested = fc.integer({ min: 1, max: 40 }).map((depth) => {
  let value: JsonValue = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
});
const anyValue = fc.oneof(anyJson, nested, fc.string());
const name = fc.constantFrom('openid_relying_party', 'federation_entity', 'oauth_client', 'level', '', '__proto__');
const anyObject = fc.array(fc.tuple(fc.oneof(name, fc.string()), anyValue), { maxLength: 3 }).map(objectOf);

function objectOf(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  const object: JsonObject = {};
  for (const [member, value] of entries) {
    Object.defineProperty(object, member, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

const identifier = mostly(
  fc.webUrl({ validSchemes: ['https'] }),
  fc.constantFrom('http://x.example', 'https://x.example?y', 'https://x.example#', 'x', ''),
);
const metadata = mostly(
  fc.constantFrom<JsonObject[]>(
    {},
    { openid_relying_party: { client_name: 'Ü\u{1F600}' } },
    { federation_entity: { contacts: ['ops@x.example'] }, openid_relying_party: {} },
  ),
  anyObject,
  anyObject.map((parameters) => ({ openid_relying_party: parameters })),
  anyObject.map((parameters) => ({ federation_entity: parameters })),
);
const metadataPolicy = mostly(
  fc.constantFrom<JsonObject[]>(
    {},
    { openid_relying_party: { contacts: { add: ['a@x.example'] }, grant_types: { subset_of: ['code'] } } },
    { openid_relying_party: { client_name: { value: null } } },
  ),
  anyObject,
  fc.constantFrom({ openid_relying_party: {} }, { openid_relying_party: { a: {} } }),
  anyObject.map((operators) => ({ openid_relying_party: { contacts: operators } })),
  anyValue.map((value) => ({ openid_relying_party: { contacts: { value, one_of: [value] } } })),
);
const constraints = mostly(
  fc.constantFrom<JsonObject[]>({}, { max_path_length: 1 }, { naming_constraints: { permitted: ['.example'] } }),
  anyObject,
  anyValue.map((value) => ({ max_path_length: value })),
  anyValue.map((value) => ({ naming_constraints: value, allowed_entity_types: value })),
);
const claimName = fc.oneof(
  fc.constantFrom('level', 'note', 'jwks', 'exp', 'aud', 'trust_marks', 'authority_hints', 'metadata_policy_crit'),
  fc.constantFrom('source_endpoint', 'trust_anchor', 'metadata', 'crit', '__proto__', 'constructor'),
  fc.string(),
);
const additionalClaims = fc.oneof(
  fc.constantFrom<JsonObject[]>({}, { level: 'high' }),
  fc.array(fc.tuple(claimName, anyValue), { maxLength: 2 }).map(objectOf),
);
const critical = fc.oneof(
  fc.constantFrom<{ additionalClaims: JsonObject; crit: string[] }[]>(
    { additionalClaims: {}, crit: [] },
    { additionalClaims: { level: 'high' }, crit: ['level'] },
    { additionalClaims: { note: 'nobody understands it' }, crit: ['note'] },
  ),
  fc.record({ additionalClaims, crit: fc.array(claimName, { maxLength: 2 }) }),
);
const lifetime = mostly(fc.integer({ min: 60, max: 90 * 86_400 }), fc.integer({ min: -2, max: 91 * 86_400 }));

const usable = await Promise.all([testKey('ES256', 1), testKey('RS256', 2), testKey('Ed25519', 3)]);
const stray = await testKey('ES384', 4);
const jwk = mostly(
  fc.constantFrom(...usable.map((one) => one.jwk as JsonObject)),
  fc.constant({ ...stray.jwk, kid: 'k'.repeat(600) } as JsonObject),
  fc.constantFrom(stray.privateJwk as JsonObject, offCurve(stray).jwk as JsonObject),
  fc.constant((await weakRsaKey()).jwk as JsonObject),
  fc.constantFrom({ ...stray.jwk, use: 'enc' } as JsonObject, { kty: 'oct', k: 'AAAA', kid: 'x' }, {}),
  fc.integer({ min: -5, max: 5 }).map((seconds) => ({ ...stray.jwk, exp: NOW + seconds }) as JsonObject),
  fc.constant({ ...stray.jwk, kid: '' } as JsonObject),
);
const registeredKey = fc.record({
  jwk,
  expiresAt: fc.option(fc.integer({ min: -3, max: 7200 }).map((seconds) => new Date((NOW + seconds) * 1000))),
});

const recognition = fc.record({
  trustMarkIssuers: mostly(
    identifier.map((issuer): Record<string, string[]> => ({ [MEMBER]: [issuer] })),
    anyObject,
  ),
  trustMarkOwners: mostly(
    fc.tuple(identifier, jwk).map(([sub, one]) => ({ [MEMBER]: { sub, jwks: { keys: [one] } } })),
    fc.constant({}),
    anyObject,
  ),
});

const authorityKey = {
  ...{ id: '1', authorityId: '1', kid: key.kid, alg: 'ES256', purpose: 'federation', publicJwk: key.publicJwk },
  ...{ sealedPrivateKey: key.sealedPrivateKey, custody: 'sealed', tokenObject: null, state: 'active' },
  ...{ createdAt: new Date((NOW - 10) * 1000), expiresAt: null, revokedAt: null, revocationReason: null },
} as unknown as AuthorityKey;
const marks = await Promise.all([
  trustMark(federation, 'issuer', 'anchor'),
  trustMark(federation, 'issuer', 'anchor', MEMBER, { claims: { trust_mark_type: undefined } }),
]);
const heldTrustMark = fc.record({
  trustMarkType: mostly(fc.constant(MEMBER), fc.string()),
  jwt: mostly(fc.constant(marks[0] ?? ''), fc.constantFrom(marks[1] ?? '', 'a.b.c', '')),
  state: fc.constant('held'),
  expiresAt: fc.option(fc.integer({ min: -2, max: 3600 }).map((seconds) => new Date((NOW + seconds) * 1000))),
}) as unknown as fc.Arbitrary<HeldTrustMark>;

const served: fc.Arbitrary<ServedAuthority> = fc
  .record({
    settings: fc.record({
      name: mostly(fc.constant('A federation'), fc.string()),
      authorityHints: mostly(fc.array(identifier, { maxLength: 2 }), fc.constant([anchor])),
      metadata: mostly(fc.constant({}), anyObject),
      configurationLifetimeSeconds: lifetime,
      defaultMetadataPolicy: metadataPolicy,
      defaultConstraints: fc.option(constraints),
      recognition,
    }),
    older: fc.array(fc.record({ publicJwk: jwk, state: fc.constantFrom('announced', 'retired', 'revoked') }), {
      maxLength: 1,
    }),
    heldTrustMarks: fc.array(heldTrustMark, { maxLength: 2 }),
  })
  .map(({ settings: { recognition: lists, ...settings }, older, heldTrustMarks }) => ({
    authority: {
      ...{ id: '1', entityIdentifier: anchor, endpointAuthentication: {}, ...settings, ...lists },
    } as unknown as Authority,
    keys: [authorityKey, ...older.map((one) => ({ ...authorityKey, ...one, kid: 'older' }) as AuthorityKey)],
    trustAnchors: [],
    trustMarkTypes: [],
    heldTrustMarks,
  }));

const moment = fc.option(fc.integer({ min: -5, max: 5 }).map((seconds) => NOW + seconds));
const givenRole: fc.Arbitrary<GivenRole> = fc.record({
  ...{ roleId: fc.uuid(), name: fc.constantFrom('accounts', 'payments') },
  ...{ metadataPolicy, validFrom: moment, validTo: moment },
});

const subordinate: fc.Arbitrary<Subordinate> = fc
  .record({
    entity: fc.record({
      ...{ metadata, metadataPolicy, constraints: fc.option(constraints) },
      ...{ statementLifetimeSeconds: lifetime, entityIdentifier: mostly(fc.constant(subject), identifier) },
      verifiedEntityTypes: fc.constant(['openid_relying_party', 'federation_entity']),
    }),
    critical,
    keys: fc.array(registeredKey, { minLength: 1, maxLength: 3 }),
    roles: fc.array(givenRole, { maxLength: 2 }),
  })
  .map(({ entity, critical: claims, keys, roles }) => {
    return { entity: { ...entity, ...claims }, keys, roles, stored: undefined } as unknown as Subordinate;
  });

describe('what our own validators would refuse is never signed, whatever the records hold:', () => {
  it('[OIDFED-3.2-1] [OIDFED-8.7-2] Entity Configurations and historical keys', async () => {
    let signed = 0;
    await fc.assert(
      fc.asyncProperty(served, async (authority) => {
        const configuration = await signedUnlessUnfit(() => signConfiguration(authority));
        if (configuration !== undefined) {
          signed++;
          expect(await verdict(() => validateEntityConfiguration(configuration, anchor, reader))).toBe('accepted');
          const chain = () =>
            validateTrustChain([configuration], { ...reader, trustAnchors: new Map([[anchor, jwks]]) });
          expect(await verdict(chain)).toBe('accepted');
        }
        const draft = { claims: buildHistoricalKeys(authority), lifetimeSeconds: 60 };
        const historical = await signedUnlessUnfit(() => signHistoricalKeys(draft, key, NOW, signing));
        if (historical === undefined) return;
        expect(await verdict(() => validateHistoricalKeys(historical, { issuer: anchor, jwks }))).toBe('accepted');
      }),
      { numRuns: RUNS },
    );
    expect(signed).toBeGreaterThan(RUNS / 20);
  });

  it('[OIDFED-3.2-1] [OIDFED-13.4-2] Subordinate Statements, by themselves and in a chain', async () => {
    let signed = 0;
    let chains = 0;
    const leaf = await federation.configuration('subject');
    const usual = fc.sample(served, 1)[0]?.authority;
    const configuration = await signedUnlessUnfit(() => signConfiguration(plainly(usual)));
    await fc.assert(
      fc.asyncProperty(served, subordinate, async ({ authority }, about) => {
        const jwt = await signedUnlessUnfit(async () => {
          const lifetimeSeconds = about.entity.statementLifetimeSeconds ?? 0;
          const claims = buildSubordinateStatement(authority, about, NOW);
          return await signStatement(
            { claims, lifetimeSeconds, notAfter: firstKeyExpiry(about, NOW) },
            key,
            NOW,
            signing,
          );
        });
        if (jwt === undefined) return;
        signed++;
        const sub = about.entity.entityIdentifier as EntityIdentifier;
        const issuer = { entityIdentifier: anchor, jwks };
        expect(await verdict(() => validateSubordinateStatement(jwt, sub, issuer, reader))).toBe('accepted');
        const chain = [leaf, jwt, configuration];
        const trustAnchors = new Map([[anchor, jwks]]);
        const judged = await verdict(() => validateTrustChain(chain, { ...reader, trustAnchors }));
        if (judged === 'accepted') chains++;
        // What is said may well rule out the subject; that is no fault of the statement.
        else expect(judged).toMatch(OF_THE_SUBJECT);
      }),
      { numRuns: 2 * RUNS },
    );
    expect(signed).toBeGreaterThan(RUNS / 20);
    expect(chains).toBeGreaterThan(0);
  });

  it('[OIDFED-8.3-2] [EVENTS-2] [OIDFED-7.2.2-1] [OIDFED-8.4-4] resolve responses, histories, delegations and status answers', async () => {
    let signed = 0;
    const leaf = await federation.configuration('subject');
    const time = mostly(fc.integer({ min: 1, max: 3600 }), fc.integer({ min: -2, max: 91 * 86_400 }));
    const response = fc
      .record({
        iss: mostly(fc.constant(anchor), identifier),
        sub: identifier,
        metadata: mostly(metadata, anyValue),
        time,
      })
      .map(({ time: seconds, ...claims }) => {
        return { ...claims, iat: NOW, exp: NOW + seconds, trust_chain: [leaf] } as unknown as JsonObject;
      });
    const event = fc.record({
      iat: mostly(fc.constant(NOW), anyJson),
      event: mostly(fc.constant('registration'), anyJson),
    });
    const history = fc
      .record({ sub: identifier, events: mostly(fc.array(event, { minLength: 1, maxLength: 3 }), anyJson), time })
      .map(({ sub, events, time: seconds }) => {
        return { iss: anchor, sub, iat: NOW, exp: NOW + seconds, federation_registration_events: events } as JsonObject;
      });
    const terms = fc
      .record({
        sub: identifier,
        trust_mark_type: mostly(fc.constant(MEMBER), anyJson),
        time,
        ref: mostly(fc.webUrl(), anyJson),
      })
      .map(({ time: seconds, ...claims }) => ({ ...claims, iss: anchor, iat: NOW, exp: NOW + seconds }) as JsonObject);
    const answered = fc
      .record({
        trust_mark: mostly(fc.constant(marks[0] ?? ''), anyJson),
        status: mostly(fc.constantFrom('active', 'expired', 'revoked', 'invalid'), anyJson),
      })
      .map((claims) => ({ iss: anchor, iat: NOW, ...claims }) as JsonObject);
    const authority = { authority: plainly(undefined).authority, keys: [authorityKey] } as unknown as ServedAuthority;
    const signDelegation = delegationSigner({ directory: { get: () => authority }, signer, houseRules });
    const linted = (lint: () => LintedStatement) => async () => ({ jwt: await signer.sign(key, lintOwn('it', lint)) });
    const readAs = (jwt: string | undefined, typ: Typ) => async () =>
      jwt === undefined || (await verifySignature(parseSignedJwt(jwt, typ), jwks));
    await fc.assert(
      fc.asyncProperty(response, history, terms, answered, async (resolved, events, delegated, status) => {
        const answer = await signedUnlessUnfit(linted(() => lintResolveResponse(resolved, houseRules)));
        expect(await verdict(readAs(answer, TYP.resolveResponse))).toBe('accepted');
        const told = await signedUnlessUnfit(linted(() => lintSubordinateEvents(events, houseRules)));
        expect(await verdict(readAs(told, TYP.entityEvents))).toBe('accepted');
        const delegation = await signedUnlessUnfit(() => signDelegation('1', delegated));
        expect(await verdict(readAs(delegation, TYP.trustMarkDelegation))).toBe('accepted');
        if (delegation !== undefined) parseTrustMarkDelegation(delegation);
        const said = await signedUnlessUnfit(linted(() => lintTrustMarkStatus(status, houseRules)));
        expect(await verdict(readAs(said, TYP.trustMarkStatusResponse))).toBe('accepted');
        if (said !== undefined) parseTrustMarkStatus(said);
        signed += [answer, told, delegation, said].filter((jwt) => jwt !== undefined).length;
      }),
      { numRuns: RUNS },
    );
    expect(signed).toBeGreaterThan(RUNS);
  });
});

/** Refusals of what the leaf is and says, under a statement that is good. */
const OF_THE_SUBJECT =
  /^(subject_mismatch|issuer_not_next_subject|key_not_found|signature_invalid|policy_\w+|naming_constraint_violated|metadata_\w+|resolved_metadata_invalid) /;

function signConfiguration(authority: ServedAuthority): Promise<{ jwt: string }> {
  return signStatement(
    {
      claims: buildEntityConfiguration(authority, NOW),
      lifetimeSeconds: authority.authority.configurationLifetimeSeconds,
      notAfter: Number.POSITIVE_INFINITY,
      renewBy: firstTrustMarkExpiry(authority, NOW),
    },
    key,
    NOW,
    signing,
  );
}

/** An authority that says nothing out of the ordinary. */
function plainly(authority: Authority | undefined): ServedAuthority {
  const ordinary = {
    ...{ name: 'A federation', authorityHints: [], metadata: {}, configurationLifetimeSeconds: 3600 },
    ...{ trustMarkIssuers: {}, trustMarkOwners: {}, entityIdentifier: anchor, endpointAuthentication: {} },
  };
  return {
    authority: { ...authority, ...ordinary } as unknown as Authority,
    ...{ keys: [authorityKey], trustAnchors: [], trustMarkTypes: [], heldTrustMarks: [] },
  };
}
