/** A command while it runs: its surroundings, its output, and the service that it talks to or what it has instead. */
import type { Command } from 'commander';
import { isLoopbackHost } from '../federation/identifiers.ts';
import type { Clock } from '../federation/time.ts';
import { type ApiClient, createApiClient, DEFAULT_SERVICE_URL } from './api-client.ts';
import { CommandError } from './command-error.ts';
import { isHttpAllowed } from './outbound-options.ts';
import { Output } from './output.ts';
import type { Surroundings } from './surroundings.ts';

export interface Session extends Surroundings {
  output: Output;
}

/** Of a command that judges or signs by itself, without a service. */
export interface LocalSession extends Session {
  clock: Clock;
  /** Whether `http` identifiers beyond loopback are accepted. */
  allowHttp: boolean;
}

export interface ServiceSession extends Session {
  client: ApiClient;
}

export function openSession(command: Command, surroundings: Surroundings): Session {
  const { env, stdin, stdout, stderr } = surroundings;
  const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
  return { env, stdin, stdout, stderr, output: new Output(surroundings, isJson) };
}

export function openLocalSession(
  command: Command,
  surroundings: Surroundings,
  options: { allowHttp?: boolean },
): LocalSession {
  const clock: Clock = { now: () => Math.floor(Date.now() / 1000) };
  return { ...openSession(command, surroundings), clock, allowHttp: isHttpAllowed(options, surroundings) };
}

/**
 * A session with the running service, as HOLDFAST_TOKEN.
 * @throws CommandError usage
 */
export function openServiceSession(command: Command, surroundings: Surroundings): ServiceSession {
  const token = surroundings.env['HOLDFAST_TOKEN']?.trim();
  if (token === undefined || token === '') {
    throw new CommandError('usage', 'HOLDFAST_TOKEN is not set', {
      hint: 'The first one: `export HOLDFAST_TOKEN=$(holdfast token claim --name YOU)`. Further ones: `holdfast token create`.',
      code: 'token_missing',
    });
  }
  return openServiceSessionAs(token, command, surroundings);
}

/** The same with another token. @throws CommandError usage */
export function openServiceSessionAs(token: string, command: Command, surroundings: Surroundings): ServiceSession {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new CommandError('usage', 'the token contains characters that no token has; copy it again');
  }
  const session = openSession(command, surroundings);
  const serviceUrl = serviceUrlOf(surroundings.env['HOLDFAST_URL']);
  if (serviceUrl.protocol === 'http:' && !isLoopbackHost(serviceUrl.hostname)) {
    session.output.warn(`the token travels to ${serviceUrl.host} unencrypted; use https in HOLDFAST_URL`);
  }
  const onPendingChange = (seq: string) => {
    session.output.warn(
      `recorded as change ${seq}, but not in effect yet: the service has to catch up with its database`,
    );
  };
  return { ...session, client: createApiClient({ serviceUrl, token, onPendingChange }) };
}

function serviceUrlOf(text: string | undefined): URL {
  const url = URL.parse(text === undefined || text === '' ? DEFAULT_SERVICE_URL : text);
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  if (isHttp && url.username === '' && url.password === '' && url.search === '' && url.hash === '') return url;
  throw new CommandError('usage', 'HOLDFAST_URL must be an http or https URL such as https://ta.example.org');
}
