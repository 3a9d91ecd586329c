/** Subordinate Statements issued from records in memory, as the statement issuer does once it has read them. */
import type { HouseRules } from '../../../src/federation/lint/house-rules.ts';
import { signStatement } from '../../../src/issuance/statement-issuer.ts';
import { buildSubordinateStatement, firstKeyExpiry } from '../../../src/issuance/subordinate-statement.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { LIFETIME_SECONDS } from '../../../src/registry/claims-input.ts';
import type { Subordinate } from '../../../src/registry/entities/read-subordinate.ts';
import type { SigningKey } from '../../../src/signer/custody/key-custody.ts';
import type { Signer } from '../../../src/signer/signer.ts';
import { roundRobin } from '../rounds.ts';
import { authorityRecord, entityRecord, generatePublicKeys, organisationRecord } from './registry-records.ts';

const SUBORDINATES = 1000;
const HOUSE_RULES: HouseRules = { maxLifetimeSeconds: LIFETIME_SECONDS.max };

/** Issues a statement about the next subordinate of an authority with a key of its own. */
export type Issue = (signer: Signer, key: SigningKey) => Promise<string>;

export async function issuingFromMemory(): Promise<{ authority: Authority; issue: Issue }> {
  const authority = authorityRecord(new Date());
  const next = roundRobin(await subordinatesOf(authority));
  return { authority, issue: (signer, key) => issueAbout(next(), { authority, signer, key }) };
}

async function subordinatesOf(authority: Authority): Promise<Subordinate[]> {
  const organisation = organisationRecord(authority.id, 0, authority.createdAt);
  const keys = await generatePublicKeys(SUBORDINATES);
  return keys.map((jwk, index) => ({
    entity: entityRecord(organisation, index, authority.createdAt),
    keys: [{ jwk, expiresAt: null }],
    roles: [],
    stored: undefined,
  }));
}

async function issueAbout(
  subordinate: Subordinate,
  { authority, signer, key }: { authority: Authority; signer: Signer; key: SigningKey },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const draft = {
    claims: buildSubordinateStatement(authority, subordinate, now),
    lifetimeSeconds: authority.statementLifetimeSeconds,
    notAfter: firstKeyExpiry(subordinate, now),
  };
  const { jwt } = await signStatement(draft, key, now, { signer, random: Math.random, houseRules: HOUSE_RULES });
  return jwt;
}
