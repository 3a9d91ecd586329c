/** `holdfast trust-mark held list` */
import type { Command } from 'commander';
import { z } from 'zod';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { heldTrustMarkSchema } from '../trust-mark-records.ts';
import { HELD_COLUMNS, heldRow } from '../trust-mark-report.ts';

const heldTrustMarksSchema = z.looseObject({ items: z.array(heldTrustMarkSchema) });

export function addHeldListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('list')
    .description('List the Trust Marks that our authorities show, and the trouble with refreshing them.')
    .addHelpText('after', example('holdfast trust-mark held list'));
  command.action(async () => {
    const session = openServiceSession(command, surroundings);
    const list = await session.client.send({ method: 'GET', path: 'held-trust-marks' }, heldTrustMarksSchema);
    session.output.result(list, (report) => report.table(HELD_COLUMNS, list.items.map(heldRow)));
  });
}
