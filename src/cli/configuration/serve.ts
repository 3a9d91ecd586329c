/** `holdfast configuration serve` */
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { causeText } from '../input-file.ts';
import { wholeNumber } from '../option-values.ts';
import { printable } from '../printable.ts';
import { openLocalSession } from '../session.ts';
import { stopSignal } from '../stop-signal.ts';
import type { Surroundings } from '../surroundings.ts';
import { FreshConfiguration } from './fresh-configuration.ts';
import { createWellKnownListener } from './well-known-listener.ts';

interface ListenAddress {
  host: string;
  port: number;
}

interface ServeOptions {
  dir: string;
  listen: ListenAddress;
  maxAge: number;
  allowHttp?: boolean;
}

/** In the folder: challenges of enrolments, which prove the domain where they are served. */
const CHALLENGE_FILE = 'domain-challenge';

/** A change is seen by everybody a minute later; without a word of ours it may take others longer. */
const MAX_AGE_SECONDS = 60;

const DESCRIPTION = `Serve your Entity Configuration over http, at the path where the standard wants it, signed anew before half of
its lifetime is over and when you edit the settings. Behind a web server that adds https, or on loopback to try it out.
The file ${CHALLENGE_FILE} in the folder, if there is one, is served where an enrolment looks for the proof of the domain.`;

export function addConfigurationServeCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('serve')
    .summary('serve it, always fresh')
    .description(DESCRIPTION)
    .requiredOption('--dir <folder>', 'the folder that `configuration init` made')
    .option('--listen <host:port>', 'where to listen; port 0 takes a free one', listenAddress, defaultAddress())
    .option('--max-age <seconds>', 'for how long others may go by what they got', wholeNumber, MAX_AGE_SECONDS)
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .addHelpText('after', example('holdfast configuration serve --dir rp --listen 127.0.0.1:9090'));
  command.action(async (options: ServeOptions) => {
    const { output, stdout, stdin, allowHttp, clock } = openLocalSession(command, surroundings, options);
    const stopped = stopSignal();
    const fresh = new FreshConfiguration({
      dir: options.dir,
      allowHttp,
      stdin,
      now: clock.now,
      warn: (message) => output.warn(message),
    });
    const { entity, url } = await fresh.current();
    const server = createServer(
      createWellKnownListener(fresh, {
        maxAgeSeconds: options.maxAge,
        challengeFile: path.join(options.dir, CHALLENGE_FILE),
      }),
    );
    const listening = await listen(server, options.listen);
    if (output.isJson) stdout.write(printable(`${JSON.stringify({ ready: { entity, url, listening } })}\n`));
    else output.note(`Serving the Entity Configuration of ${entity} on ${listening}; others must find it at ${url}`);
    await stopped;
    server.closeAllConnections();
    server.close();
  });
}

function defaultAddress(): ListenAddress & { toString(): string } {
  return { host: '127.0.0.1', port: 9090, toString: () => '127.0.0.1:9090' };
}

/** `host:port`, `[::1]:port` or the port alone. */
function listenAddress(value: string): ListenAddress {
  const { host, bracketed, port } =
    /^(?:(?:\[(?<bracketed>[^\]]+)\]|(?<host>[^:]+)):)?(?<port>\d{1,5})$/.exec(value)?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) throw new InvalidArgumentError('Write it as 127.0.0.1:9090.');
  return { host: bracketed ?? host ?? '127.0.0.1', port: Number(port) };
}

/** @returns the address as a URL */
async function listen(server: ReturnType<typeof createServer>, { host, port }: ListenAddress): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new CommandError('usage', `cannot listen on ${host}:${port}: ${causeText(error)}`, { cause: error });
  }
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`;
}
