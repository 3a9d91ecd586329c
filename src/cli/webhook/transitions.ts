/** `holdfast webhook pause`, `resume`, `replay`, `ping` and `remove` */
import type { Command } from 'commander';
import { z } from 'zod';
import { nothingSchema } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { wholeNumber } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findWebhook, WEBHOOK_ARGUMENT, webhookSchema } from './webhook-records.ts';

const TRANSITIONS = {
  pause: 'Send it nothing any more, at once; what happens meanwhile waits.',
  resume: 'Go on where it stopped.',
} as const;

export function addWebhookTransitionCommands(parent: Command, surroundings: Surroundings): void {
  for (const transition of ['pause', 'resume'] as const) {
    const command = parent
      .command(transition)
      .description(TRANSITIONS[transition])
      .argument('<webhook>', WEBHOOK_ARGUMENT)
      .requiredOption('--reason <text>', 'why, for the audit trail')
      .addHelpText('after', example(`holdfast webhook ${transition} ops --reason "ticket 4711"`));
    if (transition === 'resume') {
      command.option('--after-seq <seq>', 'leave out what happened up to this seq', wholeNumber);
    }
    command.action(async (given: string, body: { reason: string; afterSeq?: number }) => {
      const { client, output } = openServiceSession(command, surroundings);
      const { id, name, version } = await findWebhook(client, given);
      const path = `webhooks/${id}/${transition}`;
      const webhook = await client.send({ method: 'POST', path, body: { ...body }, ifMatch: version }, webhookSchema);
      output.result(webhook, (report) => report.line(`${name} is ${webhook.state} now.`));
    });
  }
}

export function addWebhookReplayCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('replay')
    .summary('deliver again what was given up, or everything since a seq')
    .description(
      'Deliver again, with the webhook-id of before and in order: what was given up, or everything since a seq.',
    )
    .argument('<webhook>', WEBHOOK_ARGUMENT)
    .option('--dead', 'the deliveries that were given up')
    .option('--since <seq>', 'all events after this seq, whatever came of them', wholeNumber)
    .addHelpText('after', example('holdfast webhook replay ops --dead', 'holdfast webhook replay ops --since 4711'));
  command.action(async (given: string, { dead, since }: { dead?: boolean; since?: number }) => {
    if ((dead === true) === (since !== undefined)) throw new CommandError('usage', 'name either --dead or --since');
    const { client, output } = openServiceSession(command, surroundings);
    const { id, name } = await findWebhook(client, given);
    const body = since === undefined ? { what: 'dead' } : { what: 'since', afterSeq: since };
    const webhook = await client.send({ method: 'POST', path: `webhooks/${id}/replay`, body }, webhookSchema);
    output.result(webhook, (report) => report.line(`${webhook.health.waiting} deliveries of ${name} wait now.`));
  });
}

const pingSchema = z.looseObject({ status: z.number().nullable(), failure: z.string().nullable() });

export function addWebhookPingCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('ping')
    .description('Post a signed message to the receiver, once and now, and say how it answered.')
    .argument('<webhook>', WEBHOOK_ARGUMENT)
    .addHelpText('after', example('holdfast webhook ping ops'));
  command.action(async (given: string) => {
    const { client, output } = openServiceSession(command, surroundings);
    const { id, name } = await findWebhook(client, given);
    const { status, failure } = await client.send({ method: 'POST', path: `webhooks/${id}/ping` }, pingSchema);
    if (failure !== null) {
      throw new CommandError('refused', `${name} did not take it: ${failure}`, { code: 'ping_failed' });
    }
    output.result({ status, failure }, (report) => report.line(`${name} took it: ${status}`));
  });
}

export function addWebhookRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Send it nothing any more, for good; its secret and its deliveries are deleted.')
    .argument('<webhook>', WEBHOOK_ARGUMENT)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast webhook remove ops'));
  command.action(async (given: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, name, version } = await findWebhook(session.client, given);
    await confirm(`remove ${name}?`, session, { yes, lookAt: `holdfast webhook show ${id}` });
    await session.client.send({ method: 'DELETE', path: `webhooks/${id}`, ifMatch: version }, nothingSchema);
    session.output.result({ removed: id }, (report) => report.line(`${name} is removed.`));
  });
}
