/** `holdfast audit checkpoint` */
import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { type AuthorityRecord, auditCheckpointSchema, authoritySchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { writeWhole } from '../output-file.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

const DESCRIPTION = `Have an authority sign what the audit is now, and print that as a JWT. Keep it where who runs the
database has no hand in: \`holdfast audit verify --checkpoint\` then finds out if the audit is rewritten or cut. The
service makes one each day by itself (\`holdfast audit checkpoints\`). All authorities have one audit: whichever signs,
a checkpoint is of the whole.`;

export function addAuditCheckpointCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('checkpoint')
    .summary('have an authority sign what the audit is now')
    .description(DESCRIPTION)
    .option('--authority <authority>', 'who signs it (default: the one that was made first)')
    .option('--out <file>', 'write to a file instead of standard output')
    .addHelpText('after', example('holdfast audit checkpoint --out 2027-01-15.checkpoint'));
  command.action(async (options: { authority?: string; out?: string }) => {
    const { client, output } = openServiceSession(command, surroundings);
    const authority = await signerOf(client, options.authority);
    const request = { method: 'POST', path: 'audit/checkpoints', body: { authorityId: authority.id } } as const;
    const checkpoint = await client.send(request, auditCheckpointSchema);
    const { jwt, rows, seq } = checkpoint;
    if (options.out === undefined) output.text(jwt, checkpoint);
    else {
      await writeWhole(options.out, `${jwt}\n`);
      if (output.isJson) output.json({ ...checkpoint, file: options.out });
    }
    const what = `For ${rows} rows, up to change ${seq}, signed by ${authority.entityIdentifier}.`;
    output.note(`${what} Keep ${options.out ?? 'it'} apart from the database.`);
  });
}

/** Without a name the authority that was made first, so that a cron job goes on when there is another one. */
async function signerOf(client: ApiClient, given: string | undefined): Promise<AuthorityRecord> {
  if (given !== undefined) return await findAuthority(client, given);
  const { items } = await client.list('authorities', {}, authoritySchema, { limit: Number.POSITIVE_INFINITY });
  const [first] = items.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  return first ?? (await findAuthority(client, given));
}
