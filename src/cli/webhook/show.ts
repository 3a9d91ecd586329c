/** `holdfast webhook list`, `show` and `deliveries` */
import { type Command, Option } from 'commander';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import {
  DELIVERY_COLUMNS,
  deliveryRow,
  deliverySchema,
  describeWebhook,
  findWebhook,
  WEBHOOK_ARGUMENT,
  WEBHOOK_COLUMNS,
  webhookRow,
  webhookSchema,
} from './webhook-records.ts';

export function addWebhookListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List webhooks, and how far each has come.'))
    .option('--authority <authority>', 'only those of one authority')
    .option('--state <state>', 'only those that are active, paused or removed (default: not the removed ones)')
    .addHelpText('after', example('holdfast webhook list'));
  command.action(async (options: ListOptions & { authority?: string; state?: string }) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const query = { authorityId, state: options.state };
    const listing = { record: webhookSchema, columns: WEBHOOK_COLUMNS, row: webhookRow };
    await showList(session, { path: 'webhooks', query, ...listing }, options);
  });
}

export function addWebhookShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a webhook and how far it has come; without its secret.')
    .argument('<webhook>', WEBHOOK_ARGUMENT)
    .addHelpText('after', example('holdfast webhook show ops'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    await showRecord(session, await findWebhook(session.client, given), describeWebhook);
  });
}

export function addWebhookDeliveriesCommand(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(
    parent
      .command('deliveries')
      .description('List what became of each event at the receiver, in their order.')
      .argument('<webhook>', WEBHOOK_ARGUMENT),
  )
    .addOption(new Option('--state <state>', 'only those').choices(['waiting', 'delivered', 'dead']))
    .addHelpText('after', example('holdfast webhook deliveries ops --state dead'));
  command.action(async (given: string, options: ListOptions & { state?: string }) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findWebhook(session.client, given);
    const listing = { record: deliverySchema, columns: DELIVERY_COLUMNS, row: deliveryRow };
    await showList(
      session,
      { path: `webhooks/${id}/deliveries`, query: { state: options.state }, ...listing },
      options,
    );
  });
}
