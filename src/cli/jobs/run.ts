/** `holdfast jobs run` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { jobSchema } from './job-records.ts';

export function addJobsRunCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('run <name>')
    .summary('let a job run now')
    .description(
      'Let a job run without waiting for its turn. A node begins it within seconds; `holdfast jobs NAME` shows how it ended.',
    )
    .addHelpText('after', example('holdfast jobs run refresh_configurations'));
  command.action(async (name: string) => {
    const { client, output } = openServiceSession(command, surroundings);
    const job = await client.send({ method: 'POST', path: `jobs/${encodeURIComponent(name)}/run` }, jobSchema);
    output.result(job, (report) => report.line(`${job.name} runs next.`));
  });
}
