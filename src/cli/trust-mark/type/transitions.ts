/** `holdfast trust-mark type retire` and `reinstate` */
import type { Command } from 'commander';
import { addDecisionCommands } from '../../decision-commands.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findTrustMarkType } from '../find-trust-mark.ts';
import { trustMarkTypeSchema } from '../trust-mark-records.ts';

export function addTypeTransitionCommands(parent: Command, surroundings: Surroundings): void {
  addDecisionCommands(parent, surroundings, {
    summaries: {
      retire: 'issue none of it any more: all its marks are revoked at once',
      reinstate: 'issue it again: its marks stand as they did',
    },
    command: 'trust-mark type',
    argument: ['<type>', 'id or name'],
    sample: 'https://fed.example.org/marks/member',
    collection: 'trust-mark-types',
    record: trustMarkTypeSchema,
    find: ({ client }, given) => findTrustMarkType(client, given),
    title: ({ trustMarkType }) => `the type ${trustMarkType}`,
  });
}
