/** `holdfast audit verify`: walks the chain of the audit, in the database or in an export. */
import type { Command } from 'commander';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { ChainToVerify } from '../../registry/audit/verify-chain.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { repeatable } from '../option-values.ts';
import { openOwnDatabase } from '../own-database.ts';
import { openSession, type Session } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import type { KeptCheckpoint } from './checkpoint-files.ts';
import { type AuditVerification, describeVerification, showProgress, verificationOf } from './verify-report.ts';

interface VerifyOptions {
  checkpoint?: string[];
  file?: string;
  jwks?: string;
}

const DESCRIPTION = `Find out whether anybody changed, removed, inserted or reordered rows of the audit, and which: in the
database of the service, or with --file in an export of it. An embedded database only while the service is stopped. With
a checkpoint that was kept elsewhere it also finds a history that was rewritten whole, and an end that was cut off; nobody
can tell that without one. Exits with 1 if anything is wrong.`;

export function addAuditVerifyCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('verify')
    .summary('find out whether the audit was tampered with')
    .description(DESCRIPTION)
    .option('--checkpoint <file>', 'a checkpoint that was kept, JWT or JSON; may be repeated', repeatable)
    .option('--file <file>', 'verify an export instead of the database; - is standard input')
    .option('--jwks <file>', 'verify checkpoints with these keys instead of those in the database')
    .addHelpText(
      'after',
      example(
        'holdfast audit verify --checkpoint 2027-01-15.checkpoint',
        '# an auditor, who believes neither service nor database',
        'holdfast audit verify --file audit.ndjson --checkpoint 2027-01-15.checkpoint --jwks anchor.json',
      ),
    );
  command.action(async (options: VerifyOptions) => {
    const session = openSession(command, surroundings);
    const verification = await (options.file === undefined
      ? verifyDatabase(options, session)
      : verifyFile(options.file, options, session));
    session.output.result(verification, (report) => describeVerification(verification, report));
    if (verification.verdict === 'whole') return;
    throw new CommandError('refused', 'the audit was tampered with', { code: 'audit_tampered' });
  });
}

async function verifyFile(file: string, options: VerifyOptions, session: Session): Promise<AuditVerification> {
  const { openAuditFile } = await import('./audit-file.ts');
  const jwks = await keysFile(options, session);
  if (jwks === undefined && options.checkpoint !== undefined) {
    throw new CommandError('usage', 'an export has no keys: give those of who signed the checkpoint with --jwks');
  }
  const checkpoints = await keptCheckpoints(options, async () => jwks ?? { keys: [] }, session);
  return await verify(await openAuditFile(file, session, checkpoints), checkpoints, session);
}

async function verifyDatabase(options: VerifyOptions, session: Session): Promise<AuditVerification> {
  const { readCheckpointKeys } = await import('../../registry/audit/checkpoint-keys.ts');
  const { withAuditChain } = await import('../../registry/audit/read-chain.ts');
  const jwks = await keysFile(options, session);
  await using database = await openOwnDatabase(session);
  const { db } = database;
  const keysOf = async (issuer: string) => jwks ?? (await readCheckpointKeys(db, issuer));
  const checkpoints = await keptCheckpoints(options, keysOf, session);
  return await withAuditChain(db, (chain) => verify(chain, checkpoints, session));
}

async function keysFile({ jwks }: VerifyOptions, session: Session): Promise<JwkSet | undefined> {
  if (jwks === undefined) return undefined;
  const { readKeysFile } = await import('./checkpoint-files.ts');
  return await readKeysFile(jwks, session);
}

async function keptCheckpoints(
  { checkpoint = [] }: VerifyOptions,
  keysOf: (issuer: string) => Promise<JwkSet>,
  session: Session,
): Promise<KeptCheckpoint[]> {
  const { readCheckpoints } = await import('./checkpoint-files.ts');
  return await readCheckpoints(checkpoint, keysOf, session);
}

async function verify(
  chain: ChainToVerify,
  checkpoints: readonly KeptCheckpoint[],
  session: Session,
): Promise<AuditVerification> {
  const { verifyAuditChain } = await import('../../registry/audit/verify-chain.ts');
  using progress = showProgress(session);
  const verified = await verifyAuditChain({ ...chain, checkpoints, onProgress: progress.report });
  return verificationOf(verified, chain.afterSeq, checkpoints);
}
