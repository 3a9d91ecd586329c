/** `holdfast webhook add`, `update` and `rotate-secret` */
import type { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion, repeatable, wholeNumber } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { keepSecret, SECRET_FILE_OPTION } from './keep-secret.ts';
import {
  describeWebhook,
  findWebhook,
  WEBHOOK_ARGUMENT,
  webhookSchema,
  webhookWithSecretSchema,
} from './webhook-records.ts';

interface FilterOptions {
  type?: string[] | false;
  role?: string[] | false;
}

function addFilterOptions(command: Command): Command {
  return command
    .option('--type <type>', 'a type of events, or all of a kind such as organisation.*; may be repeated', repeatable)
    .option('--role <id>', 'only members that have this role; may be repeated', repeatable);
}

interface AddOptions extends FilterOptions {
  authority?: string;
  allAuthorities?: boolean;
  afterSeq?: number;
  secretFile?: string;
}

export function addWebhookAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('post events to an address')
    .description(
      'Post events to an address from now on, and print the secret that verifies them, once, alone on standard output.',
    )
    .argument('<name>', 'what people call it')
    .argument('<url>', 'where to post: https')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--all-authorities', 'events of all authorities, and of the deployment itself');
  addFilterOptions(command)
    .option('--after-seq <seq>', 'begin with the events after this seq', wholeNumber)
    .option(...SECRET_FILE_OPTION)
    .addHelpText(
      'after',
      example(
        'holdfast webhook add ops https://ops.bank.example/events --type "organisation.*" --secret-file ./secret',
      ),
    );
  command.action(async (name: string, url: string, options: AddOptions) => {
    const { output, client } = openServiceSession(command, surroundings);
    const authorityId = options.allAuthorities ? null : (await findAuthority(client, options.authority)).id;
    const { type: types, role: roleIds, afterSeq } = options;
    const body = { authorityId, name, url, types, roleIds, afterSeq };
    await keepSecret(options.secretFile, output, () =>
      client.send({ method: 'POST', path: 'webhooks', body }, webhookWithSecretSchema),
    );
  });
}

interface UpdateOptions extends FilterOptions {
  name?: string;
  url?: string;
  ifMatch?: number;
}

export function addWebhookUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change what a webhook tells of, and where. What waits goes to the new address.')
    .argument('<webhook>', WEBHOOK_ARGUMENT)
    .option('--name <name>', 'what people call it')
    .option('--url <url>', 'where to post: https');
  addFilterOptions(command)
    .option('--no-type', 'events of all types')
    .option('--no-role', 'whatever roles a member has')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast webhook update ops --url https://ops2.bank.example/events'));
  command.action(async (given: string, { ifMatch, ...options }: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    requireSomeChange({ ...options });
    const { id, version } = await findWebhook(session.client, given);
    const { name, url, type, role } = options;
    const body = { name, url, types: type === false ? [] : type, roleIds: role === false ? [] : role };
    const record = await session.client.send(
      { method: 'PATCH', path: `webhooks/${id}`, body, ifMatch: ifMatch ?? version },
      webhookSchema,
    );
    await showRecord(session, record, describeWebhook);
  });
}

interface RotateOptions {
  endPrevious?: boolean;
  secretFile?: string;
  yes?: boolean;
}

export function addWebhookRotateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('rotate-secret')
    .summary('give it a new secret; the old one signs as well for a day')
    .description('Give a webhook a new secret and print it, once. For a day messages are signed with both.')
    .argument('<webhook>', WEBHOOK_ARGUMENT)
    .option('--end-previous', 'the secret before ends at once, as after a leak')
    .option(...SECRET_FILE_OPTION)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast webhook rotate-secret ops --secret-file ./new-secret'));
  command.action(async (given: string, { endPrevious = false, secretFile, yes }: RotateOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id, name } = await findWebhook(session.client, given);
    await confirm(`make a new secret for ${name}?`, session, { yes, lookAt: `holdfast webhook show ${id}` });
    const path = `webhooks/${id}/secret`;
    await keepSecret(secretFile, session.output, () =>
      session.client.send({ method: 'POST', path, body: { endPrevious } }, webhookWithSecretSchema),
    );
  });
}
