/** Lists the tokens of the deployment. */
import { and, asc, gt } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { type Actor, authorise } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { type ApiToken, withoutHash } from './api-token.ts';

export async function listTokens(db: Db, actor: Actor, request: PageRequest): Promise<Page<ApiToken>> {
  authorise(actor, ['admin', 'auditor'], null);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(apiTokens)
    .where(and(after === undefined ? undefined : gt(apiTokens.id, after)))
    .orderBy(asc(apiTokens.id))
    .limit(request.limit + 1);
  return pageOf(rows.map(withoutHash), request);
}
