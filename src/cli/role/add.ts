/** `holdfast role add` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findDomain } from './find-role.ts';
import { roleSchema } from './role-records.ts';
import { describeRole } from './role-report.ts';
import { addRoleOptions, type RoleOptions, roleSettings } from './role-settings.ts';

interface AddOptions extends RoleOptions {
  domain: string;
  idempotencyKey?: string;
}

export function addRoleAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .description('Add a role to an authorisation domain.')
    .argument('<name>', 'what it is called there, such as PISP')
    .requiredOption('--domain <domain>', 'the authorisation domain: id, or name');
  addRoleOptions(command)
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast role add PISP --domain "Open Banking" --scope openid --scope payments \\\n' +
          '      --entity-type openid_relying_party --metadata-policy pisp.json',
      ),
    );
  command.action(async (name: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id: domainId } = await findDomain(session.client, options.domain);
    const body = { ...(await roleSettings(options, session)), domainId, name };
    const role = await session.client.send(
      { method: 'POST', path: 'roles', body, idempotencyKey: options.idempotencyKey },
      roleSchema,
    );
    await showRecord(session, role, describeRole);
  });
}
