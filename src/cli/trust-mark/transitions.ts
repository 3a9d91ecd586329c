/** `holdfast trust-mark approve`, `reject` and `withdraw` */
import type { Command } from 'commander';
import { addDecisionCommands } from '../decision-commands.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTrustMark } from './find-trust-mark.ts';
import { trustMarkSchema } from './trust-mark-records.ts';

export function addTrustMarkTransitionCommands(parent: Command, surroundings: Surroundings): void {
  addDecisionCommands(parent, surroundings, {
    summaries: {
      approve: 'let the bearer have the mark that it asked for',
      reject: 'turn down a request; final',
      withdraw: 'take the mark away: it is revoked at once; final',
    },
    command: 'trust-mark',
    argument: ['<mark>', 'id, or Entity Identifier of the bearer'],
    sample: 'https://rp.example.edu',
    collection: 'trust-marks',
    record: trustMarkSchema,
    addOptions: (command) => command.option('--type <type>', 'the type, where the bearer has several marks'),
    find: ({ client }, given, { type }: { type?: string }) => findTrustMark(client, given, type),
    title: ({ trustMarkType, subject }) => `the mark ${trustMarkType} of ${subject}`,
  });
}
