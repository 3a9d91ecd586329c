/** Critical claims that whoever runs this process understands, besides those of the standard. @see OIDFED §3.1.1 */
import { STATEMENT_CLAIMS } from '../federation/statement/entity-statement.ts';
import { list } from './setting-values.ts';

/** Value of HOLDFAST_UNDERSTOOD_CLAIMS. */
export const understoodClaimsSetting = list
  .refine((claims) => !claims.some((claim) => STATEMENT_CLAIMS.has(claim)), 'must not name claims of the standard')
  .default([]);
