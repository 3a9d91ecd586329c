import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { parseEntityIdentifier } from '../../src/federation/identifiers.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import { checkJwkSet, type JwkSet } from '../../src/federation/jwk-set.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { parseSignedJwt, type SignedJwt, verifySignature } from '../../src/federation/signature.ts';
import { checkStatementClaims } from '../../src/federation/statement/checks.ts';
import type { EntityStatementClaims } from '../../src/federation/statement/entity-statement.ts';
import { checkStatementTimes, parseEntityStatement } from '../../src/federation/statement/validate-statement.ts';
import { validateTrustChain } from '../../src/federation/trust-chain/validate-trust-chain.ts';
import { refusal, refusalOf } from '../support/refusal.ts';

/** Statements that the Italian SPID/CIE federation served in October 2024; they are not ours to copy into fixtures. */
const FILE = new URL('../../../shared/statements/spid-cie-2024-10-08.json', import.meta.url);

interface Capture {
  at: number;
  subject: string;
  trust_anchor: string;
  trust_anchor_jwks: JwkSet;
  chain: [string, string, string, string];
  entity_configurations: Record<string, string>;
}

const INTERMEDIATE = 'https://spid.wbss.it/Spid/oidc/sa';

if (existsSync(FILE)) {
  describe('production statements of SPID/CIE, October 2024', () => judge(JSON.parse(readFileSync(FILE, 'utf8'))));
} else {
  it(`production statements are absent here (${FILE.pathname}), so nothing is shown`, () => {
    expect(existsSync(FILE)).toBe(false);
  });
}

function judge(capture: Capture): void {
  const [relyingParty, aboutRelyingParty, aboutIntermediate, trustAnchor] = capture.chain;
  const intermediate = capture.entity_configurations[INTERMEDIATE] ?? '';
  const parsed = (jwt: string): SignedJwt => parseSignedJwt(jwt, TYP.entityStatement);
  const ownKeys = (jwt: string): JwkSet => checkJwkSet(parsed(jwt).claims['jwks']);
  const verified = (jwt: string, jwks: JwkSet): Promise<string> => refusalOf(verifySignature(parsed(jwt), jwks));

  it('[OIDFED-3-5] verify with RS256, each with the keys of its issuer', async () => {
    expect(await verified(relyingParty, ownKeys(relyingParty))).toBe('accepted');
    expect(await verified(intermediate, ownKeys(intermediate))).toBe('accepted');
    expect(await verified(trustAnchor, ownKeys(trustAnchor))).toBe('accepted');
    expect(await verified(aboutRelyingParty, ownKeys(intermediate))).toBe('accepted');
  });

  it('[OIDFED-10.2-3] [OIDFED-10.2-4] verify along the chain up to the configured keys', async () => {
    expect(await verified(relyingParty, ownKeys(aboutRelyingParty))).toBe('accepted');
    expect(await verified(aboutRelyingParty, ownKeys(aboutIntermediate))).toBe('accepted');
    expect(await verified(aboutIntermediate, ownKeys(trustAnchor))).toBe('accepted');
    expect(await verified(aboutIntermediate, capture.trust_anchor_jwks)).toBe('accepted');
    expect(await verified(trustAnchor, capture.trust_anchor_jwks)).toBe('accepted');
  });

  it('[OIDFED-3.2-7] do not verify with the keys of other entities', async () => {
    expect(await verified(relyingParty, ownKeys(intermediate))).toBe('key_not_found at header/kid');
    expect(await verified(aboutRelyingParty, capture.trust_anchor_jwks)).toBe('key_not_found at header/kid');
  });

  it('[OIDFED-3.2-8] do not verify any more once a claim was altered', async () => {
    const [header, payload, signature] = relyingParty.split('.');
    const altered = Buffer.from(payload ?? '', 'base64url')
      .toString()
      .replace('automatic', 'explicit');
    const jwt = [header, Buffer.from(altered).toString('base64url'), signature].join('.');
    expect(await verified(jwt, ownKeys(relyingParty))).toBe('signature_invalid at header/kid');
  });

  it('[OIDFED-3.2-5] [OIDFED-3.2-6] were current when captured, and are not two days later', () => {
    for (const jwt of [...capture.chain, ...Object.values(capture.entity_configurations)]) {
      const { header, claims } = parsed(jwt);
      const statement = { jwt, header, claims: claims as EntityStatementClaims };
      const judgedAt = (now: number): string => refusal(() => checkStatementTimes(statement, { now }));
      expect(judgedAt(capture.at)).toBe('accepted');
      expect(judgedAt(capture.at + 2 * 86_400)).toBe('statement_expired at /exp');
      expect(judgedAt(capture.at - 2 * 86_400)).toBe('statement_not_yet_valid at /iat');
    }
  });

  it('[OIDFED-3.2-1] are refused by final 1.0, each for the first of its pre-final claims', () => {
    const reason = (jwt: string): string => refusal(() => parseEntityStatement(jwt));
    expect(reason(relyingParty)).toBe('claim_missing at /trust_marks/0/trust_mark_type');
    expect(reason(aboutRelyingParty)).toBe('claim_forbidden at /authority_hints');
    expect(reason(aboutIntermediate)).toBe('claim_forbidden at /trust_marks');
    expect(reason(trustAnchor)).toBe('claim_forbidden at /constraints');
    expect(reason(intermediate)).toBe('claim_missing at /trust_marks/0/trust_mark_type');
  });

  it.each([
    ['Relying Party', 0, ['claim_missing at /trust_marks/0/trust_mark_type']],
    [
      'statement about it, whose constraints are a string',
      1,
      [
        'claim_forbidden at /authority_hints',
        'claim_forbidden at /trust_marks',
        'constraints_malformed at /constraints',
      ],
    ],
    ['statement about the Intermediate', 2, ['claim_forbidden at /trust_marks']],
    ['Trust Anchor', 3, ['claim_forbidden at /constraints']],
  ])('[OIDFED-3.2-9] [OIDFED-3.2-10] would pass without these claims: %s', (_what, index, expected) => {
    expect(obstacles(parsed(capture.chain[index] ?? '').claims)).toEqual(expected);
  });

  it('[OIDFED-10.2-1] make no chain: it is refused at its first statement', async () => {
    const trustAnchors = new Map([[parseEntityIdentifier(capture.trust_anchor), capture.trust_anchor_jwks]]);
    const judged = refusalOf(validateTrustChain(capture.chain, { now: capture.at, trustAnchors }));
    expect(await judged).toBe('claim_missing at ES[0] /trust_marks/0/trust_mark_type');
  });
}

/** All that stands in the way of a statement: each refusal in turn, going on without the claim that it names. */
function obstacles(claims: JsonObject): string[] {
  try {
    checkStatementClaims(claims);
    return [];
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const name = error.at.split('/')[1] ?? '';
    const { [name]: _removed, ...others } = claims;
    return [`${error.reason} at ${error.at}`, ...obstacles(others)];
  }
}
