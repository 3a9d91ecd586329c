/** `holdfast enforcement-point add` */
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { enforcementPointWithTokenSchema } from './enforcement-point-records.ts';
import { addPointOptions, type PointOptions, pointSettings } from './point-options.ts';
import { keepToken, TOKEN_FILE_OPTION } from './token-file.ts';

interface AddOptions extends PointOptions {
  authority?: string;
  mode?: string;
  environment?: string;
  token: boolean;
  tokenFile?: string;
}

const DESCRIPTION = `Add a gateway or server that asks who may pass, and print its token, once, alone on standard output. It sends the token
in the header Holdfast-Enforcement-Point. With --client-certificate it has to connect with that certificate as well;
with --no-token the certificate is enough, which is for admins of all authorities to say. Mode and environment say whom it
lets in, and stay.`;

export function addPointAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('add a gateway or server that asks who may pass')
    .description(DESCRIPTION)
    .argument('<name>', 'what people call it')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .addOption(new Option('--mode <mode>', 'which entities it lets in (default: live)').choices(['live', 'test']))
    .option('--environment <environment>', 'where they are enrolled for (default: production; of test: sandbox)');
  addPointOptions(command)
    .option('--no-token', 'it is known by its certificate, or by a socket of its own, and gets no token')
    .option(...TOKEN_FILE_OPTION)
    .addHelpText(
      'after',
      example(
        'holdfast enforcement-point add gw-1 --certificate-header nginx --token-file /etc/nginx/holdfast.token',
        'holdfast enforcement-point add gw-2 --client-certificate gw-2.pem --no-token --api payments@2.1.0 --require-token',
      ),
    );
  command.action(async (name: string, { authority, mode, environment, token, tokenFile, ...options }: AddOptions) => {
    if (!token && tokenFile !== undefined) {
      throw new CommandError('usage', '--token-file with --no-token: there is no token to keep');
    }
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const settings = await pointSettings(options, client, session);
    const { id: authorityId } = await findAuthority(client, authority);
    const body = { authorityId, name, mode, environment, hasToken: token, ...settings };
    await keepToken(tokenFile, session, () =>
      client.send({ method: 'POST', path: 'enforcement-points', body }, enforcementPointWithTokenSchema),
    );
  });
}
