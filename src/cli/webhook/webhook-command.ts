/** `holdfast webhook`: who is told of events. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addWebhookAddCommand, addWebhookRotateCommand, addWebhookUpdateCommand } from './add.ts';
import { addWebhookDeliveriesCommand, addWebhookListCommand, addWebhookShowCommand } from './show.ts';
import {
  addWebhookPingCommand,
  addWebhookRemoveCommand,
  addWebhookReplayCommand,
  addWebhookTransitionCommands,
} from './transitions.ts';

export function addWebhookCommand(program: Command, surroundings: Surroundings): void {
  const webhook = program
    .command('webhook')
    .summary('who is told of events')
    .description(
      'Addresses that events are posted to, signed as Standard Webhooks has it: at least once, of one subject in order,\n' +
        'for three days until a receiver takes them. What is given up then can be replayed.',
    )
    .addHelpText(
      'after',
      example(
        'holdfast webhook add ops https://ops.bank.example/events --secret-file ./secret',
        'holdfast webhook ping ops',
      ),
    );
  addWebhookAddCommand(webhook, surroundings);
  addWebhookListCommand(webhook, surroundings);
  addWebhookShowCommand(webhook, surroundings);
  addWebhookUpdateCommand(webhook, surroundings);
  addWebhookRotateCommand(webhook, surroundings);
  addWebhookTransitionCommands(webhook, surroundings);
  addWebhookDeliveriesCommand(webhook, surroundings);
  addWebhookReplayCommand(webhook, surroundings);
  addWebhookPingCommand(webhook, surroundings);
  addWebhookRemoveCommand(webhook, surroundings);
}
