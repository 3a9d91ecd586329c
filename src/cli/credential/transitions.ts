/** `holdfast credential hold`, `release`, `revoke` */
import { type Command, Option } from 'commander';
import { REVOCATION_REASONS } from '../../registry/credentials/credential.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { credentialSchema } from './credential-records.ts';
import { credentialName } from './credential-report.ts';
import { findCredential } from './find-credential.ts';

const TRANSITIONS = {
  hold: 'Stop it from counting until it is released: for a key that may be lost.',
  release: 'Let it count again after a hold.',
  revoke:
    'End it for good, at once. With key_compromise all credentials of the entity with the same key end, and the key\nnever returns.',
} as const;

interface TransitionOptions {
  reason: string;
  reasonCode?: string;
  ifMatch?: number;
  yes?: boolean;
}

export function addCredentialTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const [transition, description] of Object.entries(TRANSITIONS)) {
    const isRevocation = transition === 'revoke';
    const command = parent
      .command(transition)
      .description(description)
      .argument('<credential>', 'id, or SHA-256 of the certificate')
      .requiredOption('--reason <text>', 'why, for the audit trail')
      .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
      .option('--yes', 'do not ask; needed where there is no terminal');
    if (isRevocation) command.addOption(reasonCodeOption());
    const code = isRevocation ? ' --reason-code cessation_of_operation' : '';
    const sample = `holdfast credential ${transition} 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f${code}`;
    command.addHelpText('after', example(`${sample} --reason "ticket 4711"`));
    command.action(async (given: string, { reason, reasonCode, ifMatch, yes }: TransitionOptions) => {
      const session = openServiceSession(command, surroundings);
      const seen = await findCredential(session.client, given);
      const name = `${seen.usage} credential ${credentialName(seen)} of ${seen.entityIdentifier}`;
      const lookAt = `holdfast credential show ${seen.id}`;
      await confirm(`${transition} the ${name}, which is ${seen.state}?`, session, { yes, lookAt });
      const path = `credentials/${seen.id}/${transition}`;
      const body = { reason, reasonCode };
      const credential = await session.client.send({ method: 'POST', path, body, ifMatch }, credentialSchema);
      session.output.result(credential, (report) => report.line(`The ${name} is ${credential.state} now.`));
    });
  }
}

function reasonCodeOption(): Option {
  return new Option('--reason-code <code>', 'as in RFC 5280').choices(REVOCATION_REASONS).makeOptionMandatory();
}
