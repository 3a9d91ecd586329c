/** Signs decisions about admission with the keys of our authorities. */
import type { JsonObject } from '../federation/json.ts';
import type { HouseRules } from '../federation/lint/house-rules.ts';
import { lintAdmissionDecision } from '../federation/lint/lint-admission-decision.ts';
import type { AuthorityDirectory } from '../registry/authorities/authority-directory.ts';
import type { Signer } from '../signer/signer.ts';
import { lintOwn } from './lint-own.ts';
import { NoSigningKey, signingKeyOf } from './statement-issuer.ts';

export interface AdmissionDecisionSignerOptions {
  directory: Pick<AuthorityDirectory, 'get'>;
  signer: Signer;
  houseRules: HouseRules;
}

/** @throws NoSigningKey, and what the custody of the key fails with */
export type SignAdmissionDecision = (authorityId: string, claims: JsonObject) => Promise<string>;

/** Claims → lint → sign; `iss` is added. */
export function admissionDecisionSigner(options: AdmissionDecisionSignerOptions): SignAdmissionDecision {
  const { directory, signer, houseRules } = options;
  return async (authorityId, claims) => {
    const served = directory.get(authorityId);
    if (served === undefined) throw new NoSigningKey(`the authority ${authorityId} is not known here yet`);
    const complete = { iss: served.authority.entityIdentifier, ...claims };
    const linted = lintOwn('a decision about admission', () => lintAdmissionDecision(complete, houseRules));
    return await signer.sign(signingKeyOf(served), linted);
  };
}
