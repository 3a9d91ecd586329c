/** `holdfast entity host take` */
import type { Command } from 'commander';
import { z } from 'zod';
import { grouped, keyThumbprints } from '../../anchor/thumbprints.ts';
import { confirm } from '../../confirm.ts';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { momentText } from '../../times.ts';
import { readRecipient } from './recipient.ts';

interface TakeOptions {
  recipient: string;
  reason: string;
  yes?: boolean;
}

const takenSchema = z.looseObject({
  kid: z.string(),
  jwe: z.string(),
  droppedKid: z.string().nullable(),
  servedUntil: z.string(),
});

const DESCRIPTION = `Hand a hosted entity its key, encrypted to a public key of the partner's own, which nobody but the partner opens. The
private key is destroyed here in the same moment, and a key that was announced to follow it is given up. From then on
the partner signs its configurations, and they are uploaded (\`holdfast entity host upload\`); the last one that was
signed here is served until it expires. Asked again with the same recipient before the first upload, the answer is the
same.

The partner makes the recipient's key with \`holdfast configuration recipient-key\` and opens what you hand over with
\`holdfast configuration take-key\`. Compare the key's thumbprint with the partner out of band first. Needs the role
admin.`;

export function addHostTakeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('take')
    .summary('hand the partner its key, encrypted')
    .description(DESCRIPTION)
    .argument('<entity>', 'id, or Entity Identifier')
    .requiredOption(
      '--recipient <file>',
      'a public JWK of the partner, on P-256, P-384, P-521 or X25519; a `kid` is optional',
    )
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText(
      'after',
      example(
        'holdfast entity host take https://entities.example.org/clinic --recipient recipient-public.json \\\n' +
          '      --reason "moves out" > taken.jwe',
      ),
    );
  command.action(async (given: string, { recipient: file, reason, yes }: TakeOptions) => {
    const session = openServiceSession(command, surroundings);
    const recipient = await readRecipient(file, session);
    const [key] = await keyThumbprints([recipient]);
    const { id, entityIdentifier } = await findEntity(session.client, given);
    const lookAt = `holdfast entity host show ${entityIdentifier}`;
    session.output.note(`The recipient's key has the thumbprint ${grouped(key?.thumbprint ?? '')}`);
    await confirm(`hand out the key of ${entityIdentifier} to it, and keep none here?`, session, { yes, lookAt });
    const body = { recipient, reason };
    const taken = await session.client.send({ method: 'POST', path: `entities/${id}/hosting/take`, body }, takenSchema);
    session.output.text(taken.jwe, taken);
    const { kid, droppedKid, servedUntil } = taken;
    session.output.note(`That is the key ${kid} for the partner alone; it is not kept here.`);
    if (droppedKid !== null) session.output.note(`The key ${droppedKid}, announced to follow it, was given up.`);
    session.output.note(
      'Next: the partner opens it with `holdfast configuration take-key` and signs its configuration; upload that with\n' +
        `\`holdfast entity host upload ${entityIdentifier} FILE\` before what is served expires: ${momentText(servedUntil)}`,
    );
  });
}
