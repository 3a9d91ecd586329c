/** `holdfast trust-mark grant` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { readJsonInput } from '../input-file.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type End, endTime } from './end-option.ts';
import { findTrustMarkType } from './find-trust-mark.ts';
import { noteUnrecognised } from './recognition.ts';
import { trustMarkSchema } from './trust-mark-records.ts';
import { describeMark } from './trust-mark-report.ts';

interface GrantOptions {
  type: string;
  until?: End;
  claims?: string;
  idempotencyKey?: string;
}

export function addTrustMarkGrantCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('grant')
    .summary('give a Trust Mark to an entity')
    .description('Give a Trust Mark to an entity, enrolled here or not. The rules of the type hold.')
    .argument('<subject>', 'Entity Identifier of the bearer')
    .requiredOption('--type <type>', 'id or name of the Trust Mark type')
    .option('--until <day>', 'the end of the grant, such as 2027-12-31; or never', endTime)
    .option('--claims <file>', 'JSON: further claims of this mark; - is standard input')
    .option('--idempotency-key <key>', 'repeating the command with this key grants nothing twice')
    .addHelpText(
      'after',
      example('holdfast trust-mark grant https://rp.example.edu --type https://fed.example.org/marks/member'),
    );
  command.action(async (subject: string, options: GrantOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id: typeId } = await findTrustMarkType(session.client, options.type);
    const additionalClaims = options.claims === undefined ? undefined : await readJsonInput(options.claims, session);
    const body = { typeId, subject, additionalClaims, expiresAt: options.until?.expiresAt };
    const mark = await session.client.send(
      { method: 'POST', path: 'trust-marks', body, idempotencyKey: options.idempotencyKey },
      trustMarkSchema,
    );
    session.output.result(mark, (report) => describeMark(report, mark));
    await noteUnrecognised(session, mark);
  });
}
