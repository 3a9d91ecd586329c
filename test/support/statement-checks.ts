/** Runs the claim checks of OIDFED §3.2 on a legal statement with some claims changed. */
import { parseJson } from '../../src/federation/json.ts';
import { checkStatementClaims } from '../../src/federation/statement/checks.ts';
import type { StatementOptions } from '../../src/federation/statement/entity-statement.ts';
import { buildFederation, type Claims } from './federation.ts';
import { refusal } from './refusal.ts';

const federation = await buildFederation({ anchor: {}, op: { superiors: ['anchor'] } });

/**
 * Checks the Entity Configuration of a Leaf, `https://op.example`; `undefined` removes a claim.
 * @returns `accepted`, or reason and place of the refusal
 */
export function checkConfiguration(changes: Claims, options?: StatementOptions): string {
  return checked({ ...federation.configurationClaims('op'), ...changes }, options);
}

/** Checks the Subordinate Statement of `https://anchor.example` about that Leaf. */
export function checkSubordinateStatement(changes: Claims, options?: StatementOptions): string {
  return checked({ ...federation.subordinateStatementClaims('anchor', 'op'), ...changes }, options);
}

function checked(claims: Claims, options?: StatementOptions): string {
  const received = parseJson(JSON.stringify(claims)) as Parameters<typeof checkStatementClaims>[0];
  return refusal(() => checkStatementClaims(received, options));
}
