/** Imports a document: shows what it would change, or changes all of it at once, or nothing. */

import type { Tx } from '../../storage/connect.ts';
import { sqlErrorOf } from '../../storage/sql-error.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry } from '../change.ts';
import { invalidField } from '../registry-error.ts';
import { applyImport, ImportConflict } from './apply-import.ts';
import type { TransferDocument } from './import-document.ts';
import { type Difference, type ImportPlan, planImport } from './plan-import.ts';

/** What came of an import, or would come of it. */
export interface ImportOutcome {
  /** Of the change; null where nothing changed, or for a dry run. */
  seq: number | null;
  summary: ImportPlan['summary'];
  differences: Difference[];
}

/**
 * Organisations and entities arrive pending, and what decides about members that are here stays as it is: that is for a
 * restore, which somebody else approves.
 * @throws RegistryError role_missing, validation_failed with everything that is wrong, policy_conflict,
 *   wrong_environment, version_mismatch when the registry changed meanwhile
 */
export async function importRegistry(
  context: ChangeContext,
  document: TransferDocument,
  { isDryRun = false, digest }: { isDryRun?: boolean | undefined; digest: string },
): Promise<ImportOutcome> {
  authorise(context.actor, ACCESS.importRegistry.roles, null);
  let seq: number | null = null;
  const plan = await changeRegistry(
    context,
    async (tx, record) => {
      const applied = await importInto(tx, context, document, { isRestore: false, record });
      if (applied.added.length + applied.changed.length > 0) {
        const after = { digest, summary: { ...applied.summary } };
        record({ action: 'import.apply', authorityId: null, subjectKind: 'import', subjectId: context.newId(), after });
      }
      return applied;
    },
    { isDryRun, onSeq: (taken) => (seq = taken) },
  );
  return { seq, summary: plan.summary, differences: plan.differences };
}

/** The same in the transaction of a verb. */
export async function importInto(
  tx: Tx,
  context: ChangeContext,
  document: TransferDocument,
  options: { isRestore: boolean; record: (entry: AuditEntry) => void },
): Promise<ImportPlan> {
  const { now, allowHttp, understoodClaims } = context;
  const plan = await planImport(
    tx,
    document,
    { now, allowHttp, ...(understoodClaims && { understoodClaims }) },
    options,
  );
  try {
    await applyImport(tx, context, plan, options);
  } catch (error) {
    throw refusalOf(error);
  }
  return plan;
}

/** Integrity constraints, and values that a column cannot hold: the document is wrong, not the service. */
const OF_THE_DOCUMENT = /^(?:22|23)/;

function refusalOf(error: unknown): unknown {
  if (error instanceof ImportConflict && isOfTheDocument(error)) return invalidField(error.at, error.message);
  if (!isOfTheDocument(error)) return error;
  const { constraint = 'a rule of the database' } = sqlErrorOf(error) ?? {};
  return invalidField('', `has a record that ${constraint} refuses`);
}

function isOfTheDocument(error: unknown): boolean {
  return OF_THE_DOCUMENT.test(sqlErrorOf(error)?.code ?? '');
}
