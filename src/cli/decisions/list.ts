/** `holdfast decisions list` */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { DENY_REASON_NAMES } from '../../admission/deny-reasons.ts';
import { findEnforcementPoint } from '../enforcement-point/enforcement-point-records.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { type Moment, moment } from '../moment-option.ts';
import { addOwnerOptions, type OwnerOptions, ownerQuery } from '../owner-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortMoment } from '../times.ts';

interface DecisionsOptions extends ListOptions, OwnerOptions {
  point?: string;
  decision?: string;
  reason?: string;
  from?: Moment;
  to?: Moment;
}

const decisionSchema = z.looseObject({
  decidedAt: z.string(),
  count: z.number(),
  enforcementPointId: z.string(),
  decision: z.string(),
  reasons: z.array(z.string()),
  entityId: z.string().nullable(),
  certificateSha256: z.string().nullable(),
  seq: z.number(),
});

export function addDecisionsListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('list', { isDefault: true })
    .summary('who was denied admission, when and why')
    .description('Show what was answered, the latest first. `--json` shows all hashes and ids.');
  addOwnerOptions(addListOptions(command))
    .option('--entity <entity>', 'only those about one entity')
    .option('--point <point>', 'only those of one enforcement point, by id or name')
    .addOption(new Option('--decision <decision>', 'only allows or only denies').choices(['allow', 'deny']))
    .addOption(new Option('--reason <reason>', 'only those with a reason').choices(DENY_REASON_NAMES))
    .option('--from <moment>', 'only from then on, such as 2027-01-15 or 2027-01-15T08:00:00Z', moment)
    .option('--to <moment>', 'only before', moment)
    .addHelpText(
      'after',
      example(
        'holdfast decisions --entity https://rp.example.edu',
        'holdfast decisions --reason suspended --all --json',
      ),
    );
  command.action(async (options: DecisionsOptions) => {
    const session = openServiceSession(command, surroundings);
    const { point, decision, reason, from, to } = options;
    const enforcementPointId = point && (await findEnforcementPoint(session.client, point)).id;
    const listing = {
      path: 'decisions',
      query: {
        ...(await ownerQuery(session.client, options)),
        ...{ enforcementPointId, decision, reason, from: from?.at ?? undefined, to: to?.at ?? undefined },
      },
      record: decisionSchema,
      columns: ['AT', 'COUNT', 'DECISION', 'REASONS', 'ENTITY', 'CERTIFICATE', 'POINT', 'SEQ'],
      row: decisionRow,
      isNamed: true,
    };
    await showList(session, listing, options);
  });
}

function decisionRow(row: z.infer<typeof decisionSchema>): string[] {
  const { decidedAt, count, decision, reasons, entityId, certificateSha256, enforcementPointId, seq } = row;
  const who = [entityId ?? '-', certificateSha256?.slice(0, 12) ?? '-'];
  return [shortMoment(decidedAt), String(count), decision, reasons.join(' '), ...who, enforcementPointId, String(seq)];
}
