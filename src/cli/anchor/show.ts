/** `holdfast anchor show` */
import type { Command } from 'commander';
import { findTrustAnchor } from '../find-record.ts';
import { example } from '../help-text.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeAnchor } from './anchor-report.ts';

export function addAnchorShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description(
      'Show a pinned Trust Anchor, the keys that it rolled over to since, and the last alarm; `--json` shows the keys\n' +
        'themselves.',
    )
    .argument('<anchor>', 'id, or Entity Identifier if unique')
    .addHelpText('after', example('holdfast anchor show https://fed.example.org'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const anchor = await findTrustAnchor(session.client, given);
    await showRecord(session, anchor, describeAnchor);
  });
}
