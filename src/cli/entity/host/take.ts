/** `holdfast entity host take` */
import type { Command } from 'commander';
import { z } from 'zod';
import { confirm } from '../../confirm.ts';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { readJsonObjectInput } from '../../input-file.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';

interface TakeOptions {
  recipient: string;
  reason: string;
  yes?: boolean;
}

const takenSchema = z.looseObject({ kid: z.string(), jwe: z.string() });

const DESCRIPTION = `Hand a hosted entity its key, encrypted to a public key of the partner's own, which nobody but the partner opens.
Asked again with the same recipient before the first upload, the answer is the same. The private key is destroyed here in the same moment, and from then on the partner signs its configurations and
uploads them (\`holdfast entity host upload\`); the last one that was signed here is served until it expires.
Compare the thumbprint of the recipient's key with the partner out of band first. Needs the role admin.`;

export function addHostTakeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('take')
    .summary('hand the partner its key, encrypted')
    .description(DESCRIPTION)
    .argument('<entity>', 'id, or Entity Identifier')
    .requiredOption('--recipient <file>', 'JWK: a public key of the partner, on P-256, P-384, P-521 or X25519')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText(
      'after',
      example(
        'holdfast entity host take https://entities.example.org/clinic --recipient key.json --reason "moves out"',
      ),
    );
  command.action(async (given: string, { recipient: file, reason, yes }: TakeOptions) => {
    const session = openServiceSession(command, surroundings);
    const recipient = await readJsonObjectInput(file, session);
    const { id, entityIdentifier } = await findEntity(session.client, given);
    const lookAt = `holdfast entity host show ${entityIdentifier}`;
    await confirm(`hand out the key of ${entityIdentifier}, and keep none here?`, session, { yes, lookAt });
    const body = { recipient, reason };
    const taken = await session.client.send({ method: 'POST', path: `entities/${id}/hosting/take`, body }, takenSchema);
    session.output.text(taken.jwe, taken);
    session.output.note(`That is the key ${taken.kid} for the partner alone; it is not kept here.`);
  });
}
