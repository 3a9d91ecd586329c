import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FederationError } from '../../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import type { JsonObject, JsonValue } from '../../../src/federation/json.ts';
import { MAX_TRUST_MARK_SECONDS } from '../../../src/federation/lint/lint-trust-mark.ts';
import { validateTrustMark } from '../../../src/federation/trust-mark/validate-trust-mark.ts';
import { MAX_TRUST_MARK_LENGTH } from '../../../src/http/federation/trust-mark-status.ts';
import { StatementUnfit } from '../../../src/issuance/lint-own.ts';
import { signTrustMark } from '../../../src/issuance/trust-marks/trust-mark-issuer.ts';
import { buildTrustMark } from '../../../src/registry/trust-marks/trust-mark-claims.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { testSigner } from '../../support/registry.ts';
import { AUDITED, configurationOf, delegation, entry, recognise } from '../../support/trust-marks.ts';

const federation = await buildFederation({
  anchor: {},
  owner: { superiors: ['anchor'] },
  issuer: { superiors: ['anchor'] },
});
const issuer = federation.id('issuer');
const key = await testSigner.generateKey('the issuer', 'ES256');
recognise(federation, { issuers: { [AUDITED]: [] }, owners: { [AUDITED]: 'owner' } });
const owned = await configurationOf(federation, 'anchor');
recognise(federation, { issuers: { [AUDITED]: [] } });
const free = await configurationOf(federation, 'anchor');
const signing = { signer: testSigner, random: () => 0.5, houseRules: { maxLifetimeSeconds: 3600 } };

/** What a validator of ours says of a mark that nobody touched, at the moment when it was signed. */
async function judged(jwt: string, bearer: string, isOwned: boolean): Promise<string> {
  const context = {
    bearer: bearer as EntityIdentifier,
    trustAnchor: isOwned ? owned : free,
    now: NOW,
    leewaySeconds: 0,
  };
  try {
    await validateTrustMark(entry(jwt, AUDITED), { ...context, issuerKeys: { keys: [key.publicJwk] } });
    return 'accepted';
  } catch (error) {
    if (error instanceof FederationError) return `${error.reason} at ${error.at}`;
    throw error;
  }
}

const time = fc.oneof(
  fc.integer({ min: -10, max: 10 }),
  fc.integer({ min: 1, max: MAX_TRUST_MARK_SECONDS + 2 }),
  fc.constant(null),
);
const link = fc.oneof(
  fc.constant(null),
  fc.webUrl(),
  fc.constantFrom('javascript:alert(1)', 'logo.png', '', 'http://u:p@x.example'),
);
const claimValue = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: 1, max: 40 }).map(nested), fc.string());
const claimName = fc.oneof(
  fc.string(),
  fc.constantFrom('iss', 'sub', 'iat', 'exp', 'delegation', 'logo_uri', 'ref', 'trust_mark_type', '__proto__', 'level'),
);
const extra = fc.array(fc.tuple(claimName, claimValue), { maxLength: 4 }).map((entries) => {
  const claims: JsonObject = {};
  for (const [name, value] of entries) {
    Object.defineProperty(claims, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return claims;
});
const subject = fc.oneof(
  { weight: 3, arbitrary: fc.webUrl({ validSchemes: ['https'] }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.string(),
      fc.constantFrom('https://op.example', 'https://op.example?x', 'http://op.example'),
    ),
  },
);
const delegated = fc.constantFrom<(() => Promise<string | null>)[]>(
  async () => null,
  () => delegation(federation, 'owner', 'issuer'),
  () => delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: undefined } }),
  () => delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: NOW + 5 } }),
  () => delegation(federation, 'owner', 'issuer', AUDITED, { claims: { iat: NOW + 5 } }),
  () => delegation(federation, 'owner', 'anchor'),
  () => delegation(federation, 'owner', 'issuer', 'https://another.example/type'),
  async () => 'a.b.c',
);

describe('what our own validator would refuse', () => {
  it('[OIDFED-7.3-2] [OIDFED-7.3-4] [OIDFED-7.3-7] is never signed as a Trust Mark, whatever the records hold', async () => {
    let signed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({ subject, link, ref: link, ofType: extra, own: extra, lifetime: time, end: time, delegated }),
        async ({ subject: sub, link: logoUri, ref, ofType, own, lifetime, end, delegated: give }) => {
          const permission = await give();
          const delegationEnd = permission === null ? null : expiryOf(permission);
          const dated = (seconds: number | null) => (seconds === null ? null : new Date((NOW + seconds) * 1000));
          const type = {
            ...{ trustMarkType: AUDITED, logoUri, ref, additionalClaims: ofType, delegation: permission },
            ...{ delegationExpiresAt: dated(delegationEnd), lifetimeSeconds: lifetime },
          };
          const mark = { subject: sub, additionalClaims: own, expiresAt: dated(end) };
          const claims = buildTrustMark(issuer, type, mark);
          const jwt = await signTrustMark({ claims, type, mark }, key, NOW, signing).then(
            (issued) => issued.jwt,
            (error: unknown) => {
              if (error instanceof StatementUnfit) return undefined;
              throw error;
            },
          );
          if (jwt === undefined) return;
          signed++;
          expect(jwt.length).toBeLessThanOrEqual(MAX_TRUST_MARK_LENGTH);
          expect(await judged(jwt, sub, claims['delegation'] !== undefined)).toBe('accepted');
        },
      ),
      { numRuns: 2000, endOnFailure: true },
    );
    expect(signed).toBeGreaterThan(60);
  });
});

function nested(depth: number): JsonValue {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

/** Seconds from now at which a delegation ends, as a record of it would say; null for one without end or meaning. */
function expiryOf(jwt: string): number | null {
  const [, payload = ''] = jwt.split('.');
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof exp === 'number' ? exp - NOW : null;
  } catch {
    return null;
  }
}
