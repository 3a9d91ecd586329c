/** `holdfast audit checkpoint` */
import type { Command } from 'commander';
import { auditCheckpointSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

const DESCRIPTION = `Have an authority sign what the audit is now, and print that as a JWT. Keep it where who runs the
database has no hand in: \`holdfast audit verify --checkpoint\` then finds out if the audit is rewritten or cut. The
service makes one each day by itself (\`holdfast audit checkpoints\`).`;

export function addAuditCheckpointCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('checkpoint')
    .summary('have an authority sign what the audit is now')
    .description(DESCRIPTION)
    .option('--authority <authority>', 'who signs it; may be left out if there is only one')
    .addHelpText('after', example('holdfast audit checkpoint > 2027-01-15.checkpoint'));
  command.action(async (options: { authority?: string }) => {
    const { client, output } = openServiceSession(command, surroundings);
    const { id: authorityId } = await findAuthority(client, options.authority);
    const request = { method: 'POST', path: 'audit/checkpoints', body: { authorityId } } as const;
    const checkpoint = await client.send(request, auditCheckpointSchema);
    output.text(checkpoint.jwt, checkpoint);
    output.note(`For ${checkpoint.rows} rows, up to change ${checkpoint.seq}. Keep it apart from the database.`);
  });
}
