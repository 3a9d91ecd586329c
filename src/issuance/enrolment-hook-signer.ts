/** Signs questions to hooks of enrolments with the keys of our authorities. */
import type { JsonObject } from '../federation/json.ts';
import { lintEnrolmentHook } from '../federation/lint/lint-enrolment-hook.ts';
import type { AuditCheckpointSignerOptions } from './audit-checkpoint-signer.ts';
import { lintOwn } from './lint-own.ts';
import { signingKeyOf } from './statement-issuer.ts';

/** Claims → lint → sign; `iss` is the authority. */
export function enrolmentHookSigner({
  directory,
  signer,
  houseRules,
}: AuditCheckpointSignerOptions): (authorityId: string, claims: JsonObject) => Promise<string> {
  return async (authorityId, claims) => {
    const served = directory.get(authorityId);
    if (served === undefined) throw new Error(`the authority ${authorityId} is not known here yet`);
    const asked = { iss: served.authority.entityIdentifier, ...claims };
    const linted = lintOwn('a question to a hook', () => lintEnrolmentHook(asked, houseRules));
    return await signer.sign(signingKeyOf(served), linted);
  };
}
