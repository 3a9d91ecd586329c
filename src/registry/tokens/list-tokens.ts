/** Lists tokens, as far as the reader reaches. */
import { and, asc, gt } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { ACCESS } from '../access.ts';
import { type Actor, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { type ApiToken, withoutHash } from './api-token.ts';
import { tokensInReach } from './token-reach.ts';

/** Those that reach no further than the reader. @throws RegistryError role_missing */
export async function listTokens(db: Db, actor: Actor, request: PageRequest): Promise<Page<ApiToken>> {
  requireRole(actor, ACCESS.listTokens.roles);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(apiTokens)
    .where(and(tokensInReach(actor), after === undefined ? undefined : gt(apiTokens.id, after)))
    .orderBy(asc(apiTokens.id))
    .limit(request.limit + 1);
  return pageOf(rows.map(withoutHash), request);
}
