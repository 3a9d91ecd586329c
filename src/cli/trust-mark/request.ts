/** `holdfast trust-mark request` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTrustMarkType } from './find-trust-mark.ts';
import { trustMarkSchema } from './trust-mark-records.ts';
import { describeMark } from './trust-mark-report.ts';

export function addTrustMarkRequestCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('request')
    .summary('ask for a Trust Mark in place of an entity')
    .description('Ask for a Trust Mark in place of an entity. An approver decides, unless the type approves by itself.')
    .argument('<subject>', 'Entity Identifier of the bearer')
    .requiredOption('--type <type>', 'id or name of the Trust Mark type')
    .addHelpText(
      'after',
      example('holdfast trust-mark request https://rp.example.edu --type https://fed.example.org/marks/member'),
    );
  command.action(async (subject: string, options: { type: string }) => {
    const session = openServiceSession(command, surroundings);
    const { id: typeId } = await findTrustMarkType(session.client, options.type);
    const request = { method: 'POST', path: 'trust-mark-requests', body: { typeId, subject } } as const;
    const mark = await session.client.send(request, trustMarkSchema);
    session.output.result(mark, (report) => describeMark(report, mark));
  });
}
