/** `holdfast audit list` */
import type { Command } from 'commander';
import { type AuditRecord, auditRowSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { findSubjectId } from '../find-subject.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortMoment } from '../times.ts';

interface AuditOptions extends ListOptions {
  authority?: string;
  subjectKind?: string;
  subject?: string;
}

export function addAuditListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('list', { isDefault: true })
    .summary('who changed what, when and why')
    .description('Show who changed what, when and why, oldest first. `--json` shows each record before and after.');
  addListOptions(command)
    .option('--authority <authority>', 'only changes that belong to one authority')
    .option('--subject-kind <kind>', 'only one kind of record, such as entity or organisation')
    .option('--subject <subject>', 'only one record: id, Entity Identifier, or name if unique')
    .addHelpText(
      'after',
      example('holdfast audit --subject https://rp.example.edu', 'holdfast audit --subject-kind entity --all'),
    );
  command.action(async (options: AuditOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const { subject, subjectKind } = options;
    const subjectId = subject && (await findSubjectId(session.client, subject, { authorityId, subjectKind }));
    const listing = {
      path: 'audit',
      query: { authorityId, subjectKind, subjectId },
      record: auditRowSchema,
      columns: ['SEQ', 'AT', 'ACTOR', 'ACTION', 'SUBJECT', 'REASON'],
      row: auditRow,
    };
    await showList(session, listing, options);
  });
}

function auditRow(row: AuditRecord): string[] {
  const { seq, at, actor, action, reason } = row;
  return [String(seq), shortMoment(at), actor.name, action, subjectText(row), reason ?? ''];
}

/** Members that name a record, the most telling one first. */
const CALLED_BY = ['entityIdentifier', 'legalName', 'email', 'name', 'issuer', 'family', 'role'];

/** What the record was called after the change, or before its end; its id if it has no name. */
function subjectText({ subjectId, before, after }: AuditRecord): string {
  const names = [after, before].flatMap((record) => CALLED_BY.map((member) => record?.[member]));
  return names.find((name) => typeof name === 'string') ?? subjectId;
}
