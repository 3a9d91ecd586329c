/** `holdfast findings` */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { ALL_FINDING_KINDS } from '../registry/life-cycle/list-findings.ts';
import { findAuthority, findOrganisation } from './find-record.ts';
import { example } from './help-text.ts';
import { addListOptions, type ListOptions, showList } from './list-options.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { momentText } from './times.ts';

const findingSchema = z.looseObject({
  id: z.string(),
  kind: z.string(),
  organisation: z.string(),
  subjectKind: z.string(),
  subjectName: z.string(),
  detail: z.string(),
  since: z.string(),
});

interface FindingsOptions extends ListOptions {
  authority?: string;
  organisation?: string;
  kind?: string;
}

export function addFindingsCommand(program: Command, surroundings: Surroundings): void {
  const command = addListOptions(
    program
      .command('findings')
      .summary('what somebody should look at: lapsed, orphaned, contradicted')
      .description(
        'What was noticed and not decided, the longest standing first; a finding goes when it is cured:\n' +
          'contacts, certifications and terms that lapsed, entities and credentials without an owner that counts,\n' +
          'configurations that dropped our hint, changed keys, end soon or contradict the policy.',
      ),
  )
    .option('--authority <authority>', 'only those of one authority')
    .option('--organisation <organisation>', 'only those of one organisation')
    .addOption(new Option('--kind <kind>', 'only of one kind').choices(ALL_FINDING_KINDS))
    .addHelpText('after', example('holdfast findings --kind contact_stale'));
  command.action(async (options: FindingsOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const organisationId =
      options.organisation && (await findOrganisation(client, options.organisation, authorityId)).id;
    const query = { authorityId, organisationId, kind: options.kind };
    const columns = ['KIND', 'ORGANISATION', 'ABOUT', 'SINCE', 'WHAT TO DO'];
    const row = ({ kind, organisation, subjectName, since, detail }: z.infer<typeof findingSchema>) => {
      return [kind, organisation, subjectName, momentText(since), detail];
    };
    await showList(session, { path: 'findings', query, record: findingSchema, columns, row }, options);
  });
}
