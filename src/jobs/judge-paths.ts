/** Looks for the paths of certificates anew once a trust list changed. */
import type { ChangeContext } from '../registry/change.ts';
import { changedTrustLists, judgePathsAnew } from '../registry/trust-lists/judge-paths-anew.ts';

export interface PathJudging {
  changeContext: () => ChangeContext;
}

/** One round, in pieces. Nodes that do so at once write each path once between them. */
export async function judgePaths({ changeContext }: PathJudging, signal?: AbortSignal): Promise<void> {
  const { db, now: begunAt } = changeContext();
  for (const list of await changedTrustLists(db)) {
    while (signal?.aborted !== true && (await judgePathsAnew(changeContext(), list, begunAt)) > 0);
  }
}
