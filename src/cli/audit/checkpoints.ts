/** `holdfast audit checkpoints` */
import type { Command } from 'commander';
import { type AuditCheckpointRecord, auditCheckpointSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortMoment } from '../times.ts';

export function addAuditCheckpointsCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('checkpoints')
    .description('List the checkpoints that were signed, oldest first; `--json` shows the JWTs, to be kept elsewhere.');
  addListOptions(command)
    .option('--authority <authority>', 'only those that one authority signed')
    .addHelpText('after', example('holdfast audit checkpoints --all --json > checkpoints.json'));
  command.action(async (options: ListOptions & { authority?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = {
      path: 'audit/checkpoints',
      query: { authorityId },
      record: auditCheckpointSchema,
      columns: ['SEQ', 'AT', 'ROWS', 'HASH', 'SIGNED BY'],
      row: checkpointRow,
      isNamed: true,
    };
    await showList(session, listing, options);
  });
}

function checkpointRow({ seq, createdAt, rows, hash, authorityId }: AuditCheckpointRecord): string[] {
  return [String(seq), shortMoment(createdAt), String(rows), hash, authorityId];
}
