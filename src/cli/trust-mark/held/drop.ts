/** `holdfast trust-mark held drop` */
import type { Command } from 'commander';
import { nothingSchema } from '../../api-records.ts';
import { confirm } from '../../confirm.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';

export function addHeldDropCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('drop')
    .description('Show a Trust Mark no longer.')
    .argument('<held>', 'id, as `holdfast trust-mark held list` shows it')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast trust-mark held drop 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f'));
  command.action(async (id: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    await confirm(`drop the mark ${id}?`, session, { yes, lookAt: 'holdfast trust-mark held list' });
    await session.client.send({ method: 'DELETE', path: `held-trust-marks/${encodeURIComponent(id)}` }, nothingSchema);
    session.output.result({ dropped: id }, (report) => report.line('It is shown no longer.'));
  });
}
