import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/federation/json.ts';
import { MAX_STATEMENT_BYTES } from '../../src/federation/lint/lint-entity-statement.ts';
import { parseEntityStatement } from '../../src/federation/statement/validate-statement.ts';
import { StatementUnfit } from '../../src/issuance/lint-own.ts';
import { signStatement } from '../../src/issuance/statement-issuer.ts';
import { NOW } from '../support/federation.ts';
import { testSigner } from '../support/registry.ts';

const AUTHORITY = 'https://authority.example';
const keys = [await testSigner.generateKey('a', 'ES256'), await testSigner.generateKey('a', 'RS256')] as const;
const signing = { signer: testSigner, random: () => 0.5, houseRules: { maxLifetimeSeconds: 3600 } };

/** A configuration whose payload takes about so many bytes. */
function configuration(bytes: number, unit: string): JsonObject {
  const note = unit.repeat(Math.max(0, Math.floor(bytes / Buffer.byteLength(JSON.stringify(unit).slice(1, -1)))));
  const metadata = { federation_entity: { note } };
  return { iss: AUTHORITY, sub: AUTHORITY, jwks: { keys: [keys[0].publicJwk as JsonObject] }, metadata };
}

it('what readers would refuse for its size is never signed, and nothing that has room is refused', async () => {
  const size = fc.oneof(fc.integer({ min: -3000, max: 100 }), fc.integer({ min: -190_000, max: 100_000 }));
  const unit = fc.constantFrom('x', 'é', '漢', '😀', '"', '\n');
  await fc.assert(
    fc.asyncProperty(size, unit, fc.constantFrom(...keys), async (excess, character, key) => {
      const claims = configuration(MAX_STATEMENT_BYTES + excess, character);
      const draft = { claims, lifetimeSeconds: 3600, notAfter: Number.POSITIVE_INFINITY };
      try {
        const { jwt } = await signStatement(draft, key, NOW, signing);
        expect(parseEntityStatement(jwt).claims.sub).toBe(AUTHORITY);
      } catch (error) {
        if (!(error instanceof StatementUnfit)) throw error;
        expect(excess).toBeGreaterThan(-1000);
      }
    }),
    { numRuns: 60 },
  );
});
