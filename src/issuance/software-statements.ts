/** Signs software statements with the keys of our authorities. */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../federation/json.ts';
import type { HouseRules } from '../federation/lint/house-rules.ts';
import { lintSoftwareStatement } from '../federation/lint/lint-software-statement.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { Actor } from '../registry/actor.ts';
import type { AuthorityDirectory } from '../registry/authorities/authority-directory.ts';
import { readStatedApplication } from '../registry/entities/read-stated-application.ts';
import type { Signer } from '../signer/signer.ts';
import type { Db } from '../storage/connect.ts';
import { lintOwn } from './lint-own.ts';
import { buildSoftwareStatement } from './software-statement.ts';
import { NoSigningKey, signingKeyOf } from './statement-issuer.ts';

export interface SoftwareStatementsOptions {
  db: Db;
  directory: Pick<AuthorityDirectory, 'get'>;
  signer: Signer;
  houseRules: HouseRules;
  clock: Clock;
  /** Where clients reach the service. */
  baseUrl: string;
  /** What the registry is known to hold; see the change feed. */
  state: { readonly seq: number; isCurrent(): boolean; ensureCurrent(): Promise<void> };
}

export interface SoftwareStatement {
  jwt: string;
  expiresAt: NumericDate;
}

/** Whose members and staff may have it; see readStatedApplication. */
export type StateSoftware = (actor: Actor, entityId: string) => Promise<SoftwareStatement>;

/**
 * Record → claims → lint → sign. What was signed while anything changed, or nobody knows whether it did, is thrown away.
 * @throws RegistryError not_found, role_missing, not_active, policy_conflict; NoSigningKey; StaleStateError; what the
 *   custody of the key fails with
 */
export function softwareStatements(options: SoftwareStatementsOptions): StateSoftware {
  const { state } = options;
  return async (actor, entityId) => {
    for (let attempt = 1; ; attempt++) {
      await state.ensureCurrent();
      const { seq } = state;
      const signed = await sign(options, actor, entityId);
      // Each was right when its record was read; in a registry that never rests the last of them has to do.
      if (state.isCurrent() && (state.seq === seq || attempt >= MAX_ATTEMPTS)) return signed;
    }
  };
}

const MAX_ATTEMPTS = 5;

async function sign(options: SoftwareStatementsOptions, actor: Actor, entityId: string): Promise<SoftwareStatement> {
  const { db, directory, signer, houseRules, clock, baseUrl } = options;
  const now = clock.now();
  const application = await readStatedApplication(db, actor, entityId, now);
  const served = directory.get(application.entity.authorityId);
  if (served === undefined) throw new NoSigningKey('its authority is not known here yet');
  const { authority } = served;
  const { allowHttp = false } = houseRules;
  const said = buildSoftwareStatement({ ...application, authority, baseUrl, now, allowHttp, jti: randomUUID() });
  const claims: JsonObject = { iss: authority.entityIdentifier, ...said };
  const linted = lintOwn('a software statement', () => lintSoftwareStatement(claims, houseRules));
  return { jwt: await signer.sign(signingKeyOf(served), linted), expiresAt: Number(claims['exp']) };
}
