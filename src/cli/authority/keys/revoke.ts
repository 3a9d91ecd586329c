/** `holdfast authority keys revoke` */
import type { Command } from 'commander';
import { type RevokedKeyRecord, revokedKeySchema } from '../../api-records.ts';
import { confirm } from '../../confirm.ts';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import type { Report } from '../../report.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { momentText } from '../../times.ts';
import { keyMeant, readKeys } from './read-keys.ts';

interface RevokeOptions {
  authority?: string;
  compromised?: boolean;
  revocationReason: string;
  reason: string;
  yes?: boolean;
}

export function addKeysRevokeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('revoke')
    .summary('stop using a key at once, such as after it leaked; final')
    .description(
      'Revoke a key. From this moment on nothing is signed with it and it is published as revoked. If it is the one that\n' +
        'signs, the announced key takes its place, else a new one, which superiors and relying parties that pin the old\n' +
        'one have to be told. Prints what is affected. Final.',
    )
    .argument('<kid>', 'the kid of the key, or its first 8 characters or more')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--compromised', 'somebody else may have the key: nothing that it signed counts any more')
    .option('--revocation-reason <word>', 'what is published as the reason: superseded, or one of yours', 'unspecified')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText(
      'after',
      example('holdfast authority keys revoke NzbLsXh8 --compromised --reason "backup was stolen"'),
    );
  command.action(async (given: string, options: RevokeOptions) => {
    const session = openServiceSession(command, surroundings);
    const authority = await findAuthority(session.client, options.authority);
    const key = keyMeant(await readKeys(session.client, authority.id), given, authority);
    const lookAt = `holdfast authority keys list ${authority.entityIdentifier}`;
    const question = `revoke ${key.kid} of ${authority.entityIdentifier}, which is ${key.state}?`;
    await confirm(question, session, { yes: options.yes, lookAt });
    const revocationReason = options.compromised === true ? 'compromised' : options.revocationReason;
    const revoked = await session.client.send(
      {
        method: 'POST',
        path: `authorities/${authority.id}/keys/${key.kid}/revoke`,
        body: { revocationReason, reason: options.reason },
      },
      revokedKeySchema,
    );
    session.output.result(revoked, (report) => describeRevocation(report, revoked));
  });
}

function describeRevocation(report: Report, { key, signingKid, failure, impact }: RevokedKeyRecord): void {
  report.line(`${key.kid} is revoked.`);
  if (signingKid !== null) report.line(`${signingKid} signs.`);
  else report.line(`Nothing is signed now, for no key could be made: ${failure}. It is tried again every minute.`);
  report.heading('What is affected');
  const { outstandingUntil, statements, subordinates, trustMarks, delegations } = impact;
  report.facts([
    ['statements', statements.map(({ kind, count }) => `${count} ${kind}`).join(', ')],
    ['in use until', outstandingUntil === null ? undefined : momentText(outstandingUntil)],
    ['subordinates', String(subordinates)],
    ['Trust Marks', String(trustMarks)],
    ['delegations', String(delegations)],
    ...impact.superiors.map((superior) => ['tell the superior', superior] as const),
    ...impact.pinnedBy.map((authority) => ['pinned by', authority] as const),
  ]);
}
