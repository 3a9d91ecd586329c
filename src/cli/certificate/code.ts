/** `holdfast certificate code` */
import type { Command } from 'commander';
import { z } from 'zod';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';
import { addWantedOptions, readWantedOptions, type WantedOptions } from './wanted-options.ts';

const codeSchema = z.looseObject({
  code: z.string(),
  certificationAuthorityId: z.string(),
  profile: z.string(),
  isApproval: z.boolean(),
  expiresAt: z.string(),
});

export function addCertificateCodeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('code')
    .summary('make a code for a first certificate over EST')
    .description(
      'Make a code by which a machine without a token gets a first certificate over EST (RFC 7030), within 24 hours.\n' +
        'It is good for one request, and shown this once. Made with a token that may approve it is the approval, too,\n' +
        'unless the authority asks for four eyes.',
    )
    .argument('<entity>', 'id, or Entity Identifier');
  addWantedOptions(command).addHelpText(
    'after',
    example('CODE=$(holdfast certificate code https://rp.example.edu --profile client --json | jq -r .code)'),
  );
  command.action(async (given: string, options: WantedOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client, output } = session;
    const { authorityId, ...body } = await readWantedOptions(client, options);
    const { id } = await findEntity(client, given, authorityId);
    const code = await client.send({ method: 'POST', path: `entities/${id}/certificate-codes`, body }, codeSchema);
    output.result(code, (report) => {
      report.line(code.code);
      report.facts([
        ['for', `one ${code.profile} certificate of ${given}`],
        ['until', momentText(code.expiresAt)],
        ['then', code.isApproval ? 'it is issued at once' : 'somebody has to approve it'],
        ['where', new URL(`/.well-known/est/${code.certificationAuthorityId}/simpleenroll`, client.serviceUrl).href],
      ]);
    });
  });
}
