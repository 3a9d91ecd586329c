/** Makes a checkpoint of the audit when the last one of who signs is old enough and something happened since. */
import {
  lastAuditCheckpoint,
  makeAuditCheckpoint,
  type SignAuditCheckpoint,
} from '../registry/audit/audit-checkpoint.ts';
import type { AuthorityDirectory } from '../registry/authorities/authority-directory.ts';
import type { ChangeContext } from '../registry/change.ts';

export interface AuditCheckpointJob {
  changeContext: () => ChangeContext;
  directory: Pick<AuthorityDirectory, 'all'>;
  sign: SignAuditCheckpoint;
  /** From one checkpoint to the next. */
  intervalSeconds: number;
}

/** One round, signed by the first authority that has a key. Nodes that do so at once make one checkpoint between them. */
export async function makeDueAuditCheckpoint(job: AuditCheckpointJob): Promise<void> {
  const first = job.directory.all.find(({ keys }) => keys.some(({ state }) => state === 'active'));
  if (first === undefined) return;
  const context = job.changeContext();
  const last = await lastAuditCheckpoint(context.db, first.authority.id);
  const isDue = last === undefined || context.now.getTime() - last.createdAt.getTime() >= job.intervalSeconds * 1000;
  if (isDue) await makeAuditCheckpoint(context, first.authority.id, job.sign);
}
