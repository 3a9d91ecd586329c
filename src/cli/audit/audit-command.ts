/** `holdfast audit`: the trail of changes, and the proof that nobody rewrote it. */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { addAuditCheckpointCommand } from './checkpoint.ts';
import { addAuditCheckpointsCommand } from './checkpoints.ts';
import { addAuditExportCommand } from './export.ts';
import { addAuditListCommand } from './list.ts';
import { addAuditVerifyCommand } from './verify.ts';

export function addAuditCommand(program: Command, surroundings: Surroundings): void {
  const audit = program
    .command('audit')
    .summary('who changed what, when and why: list, verify, export, …')
    .description(
      'Every change with who made it, when and why. Its rows form a chain: each has a hash over itself and the one\n' +
        'before it, so that none can be changed, removed or added unseen. Checkpoints, signed by an authority and kept\n' +
        'elsewhere, tell whether all of it was rewritten, or its end cut off. Without a subcommand: list.',
    )
    .addHelpText('after', example('holdfast audit --subject https://rp.example.edu', 'holdfast audit verify'));
  addAuditListCommand(audit, surroundings);
  addAuditVerifyCommand(audit, surroundings);
  addAuditExportCommand(audit, surroundings);
  addAuditCheckpointCommand(audit, surroundings);
  addAuditCheckpointsCommand(audit, surroundings);
}
