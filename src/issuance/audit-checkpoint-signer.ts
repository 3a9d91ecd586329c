/** Signs checkpoints of the audit with the keys of our authorities. */
import type { HouseRules } from '../federation/lint/house-rules.ts';
import { lintAuditCheckpoint } from '../federation/lint/lint-audit-checkpoint.ts';
import type { SignAuditCheckpoint } from '../registry/audit/audit-checkpoint.ts';
import type { AuthorityDirectory } from '../registry/authorities/authority-directory.ts';
import type { Signer } from '../signer/signer.ts';
import { lintOwn } from './lint-own.ts';
import { signingKeyOf } from './statement-issuer.ts';

export interface AuditCheckpointSignerOptions {
  directory: Pick<AuthorityDirectory, 'get'>;
  signer: Signer;
  houseRules: HouseRules;
}

/** Claims → lint → sign. */
export function auditCheckpointSigner(options: AuditCheckpointSignerOptions): SignAuditCheckpoint {
  const { directory, signer, houseRules } = options;
  return async (authorityId, claims) => {
    const served = directory.get(authorityId);
    if (served === undefined) throw new Error(`the authority ${authorityId} is not known here yet`);
    const linted = lintOwn('a checkpoint of the audit', () => lintAuditCheckpoint(claims, houseRules));
    return await signer.sign(signingKeyOf(served), linted);
  };
}
