/** `holdfast enforcement-point update` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import {
  describePoint,
  enforcementPointSchema,
  findEnforcementPoint,
  POINT_ARGUMENT,
} from './enforcement-point-records.ts';
import { addPointOptions, type PointOptions, pointSettings } from './point-options.ts';

interface UpdateOptions extends PointOptions {
  name?: string;
  token: boolean;
  ifMatch?: number;
}

export function addPointUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change what an enforcement point asks for and how it is known. Mode and environment stay.')
    .argument('<point>', POINT_ARGUMENT)
    .option('--name <name>', 'what people call it');
  addPointOptions(command)
    .option('--no-api', 'requests may name one')
    .option('--no-require-token', 'certificates are enough')
    .option('--no-client-certificate', 'its token is enough')
    .option('--no-canary', 'nobody knocks there')
    .option('--no-token', 'end its token at once: its certificate, or a socket of its own, is enough')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast enforcement-point update gw-1 --require-token --max-staleness 10'));
  command.action(async (given: string, { name, token, ifMatch, ...options }: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const settings = await pointSettings(options, client, session);
    const body = { name, ...settings, hasToken: token ? undefined : false };
    requireSomeChange(body);
    const { id, version } = await findEnforcementPoint(client, given);
    const point = await client.send(
      { method: 'PATCH', path: `enforcement-points/${id}`, body, ifMatch: ifMatch ?? version },
      enforcementPointSchema,
    );
    await showRecord(session, point, describePoint);
  });
}
