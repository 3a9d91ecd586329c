/** `holdfast audit` */
import type { Command } from 'commander';
import { type AuditRecord, auditRowSchema } from './api-records.ts';
import { findAuthority } from './find-record.ts';
import { example } from './help-text.ts';
import { addListOptions, type ListOptions, showList } from './list-options.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { shortMoment } from './times.ts';

interface AuditOptions extends ListOptions {
  authority?: string;
  subjectKind?: string;
  subjectId?: string;
}

export function addAuditCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('audit')
    .summary('who changed what, when and why')
    .description('Show who changed what, when and why, oldest first. `--json` shows each record before and after.');
  addListOptions(command)
    .option('--authority <authority>', 'only changes that belong to one authority')
    .option('--subject-kind <kind>', 'only one kind of record, such as entity or organisation')
    .option('--subject-id <id>', 'only the record with this id')
    .addHelpText('after', example('holdfast audit --subject-kind entity --all'));
  command.action(async (options: AuditOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const listing = {
      path: 'audit',
      query: { authorityId, subjectKind: options.subjectKind, subjectId: options.subjectId },
      record: auditRowSchema,
      columns: ['SEQ', 'AT', 'ACTOR', 'ACTION', 'SUBJECT', 'REASON'],
      row: auditRow,
    };
    await showList(session, listing, options);
  });
}

function auditRow({ seq, at, actor, action, subjectId, reason }: AuditRecord): string[] {
  return [String(seq), shortMoment(at), actor.name, action, subjectId, reason ?? ''];
}
