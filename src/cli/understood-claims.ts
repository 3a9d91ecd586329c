/** Critical claims that a command understands, as the service beside it does. @see OIDFED §3.1.1 */
import { understoodClaimsSetting } from '../config/understood-claims.ts';
import { CommandError } from './command-error.ts';
import type { Surroundings } from './surroundings.ts';

const VARIABLE = 'HOLDFAST_UNDERSTOOD_CLAIMS';

/** @throws CommandError usage */
export function understoodClaims({ env }: Pick<Surroundings, 'env'>): ReadonlySet<string> {
  const parsed = understoodClaimsSetting.safeParse(env[VARIABLE] || undefined);
  if (parsed.success) return new Set(parsed.data);
  const complaint = parsed.error.issues.map(({ message }) => message).join('; ');
  throw new CommandError('usage', `${VARIABLE} ${complaint}`);
}
