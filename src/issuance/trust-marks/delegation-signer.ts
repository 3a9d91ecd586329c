/** Signs delegations that our authorities give as owners of Trust Mark types. @see OIDFED §7.2.1 */
import type { HouseRules } from '../../federation/lint/house-rules.ts';
import { lintTrustMarkDelegation } from '../../federation/lint/lint-trust-mark-delegation.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import type { SignDelegation } from '../../registry/trust-marks/trust-mark-delegation.ts';
import type { Signer } from '../../signer/signer.ts';
import { lintOwn } from '../lint-own.ts';
import { signingKeyOf } from '../statement-issuer.ts';

export interface DelegationSignerOptions {
  directory: Pick<AuthorityDirectory, 'get'>;
  signer: Signer;
  houseRules: HouseRules;
}

/** Claims → lint → sign, with the key that the authority signs with at that moment. */
export function delegationSigner({ directory, signer, houseRules }: DelegationSignerOptions): SignDelegation {
  return async (authorityId, claims) => {
    const served = directory.get(authorityId);
    if (served === undefined) throw new Error(`the authority ${authorityId} is not known here yet`);
    const key = signingKeyOf(served);
    const linted = lintOwn('a delegation', () => lintTrustMarkDelegation(claims, houseRules));
    return { jwt: await signer.sign(key, linted), kid: key.kid };
  };
}
