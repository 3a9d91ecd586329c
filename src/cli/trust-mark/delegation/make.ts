/** `holdfast trust-mark delegation make` */
import type { Command } from 'commander';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { type End, endTime } from '../end-option.ts';
import { trustMarkDelegationSchema } from '../trust-mark-records.ts';
import { describeDelegation } from '../trust-mark-report.ts';

interface MakeOptions {
  type: string;
  until?: End;
  ref?: string;
  authority?: string;
  idempotencyKey?: string;
}

export function addDelegationMakeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('make')
    .description('Delegate a Trust Mark type to an issuer. The JWT shown is for the issuer.')
    .argument('<issuer>', 'Entity Identifier of who may issue marks')
    .requiredOption('--type <type>', 'the Trust Mark type that the authority owns')
    .option('--until <day>', 'when the delegation expires, such as 2027-12-31 (default: never)', endTime)
    .option('--ref <url>', 'where people read about the delegation')
    .option('--authority <authority>', 'the owner; may be left out if there is only one authority')
    .option('--idempotency-key <key>', 'repeating the command with this key delegates nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast trust-mark delegation make https://issuer.example --type https://fed.example.org/marks/audited',
      ),
    );
  command.action(async (issuer: string, options: MakeOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id: authorityId } = await findAuthority(session.client, options.authority);
    const body = {
      authorityId,
      issuer,
      trustMarkType: options.type,
      ref: options.ref,
      expiresAt: options.until?.expiresAt,
    };
    const delegation = await session.client.send(
      { method: 'POST', path: 'trust-mark-delegations', body, idempotencyKey: options.idempotencyKey },
      trustMarkDelegationSchema,
    );
    session.output.result(delegation, (report) => describeDelegation(report, delegation));
  });
}
