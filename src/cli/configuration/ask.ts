/** `holdfast configuration ask`: a partner asks a superior to enrol it, machine to machine. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { MAX_ENROLMENT_REQUEST_SECONDS } from '../../federation/enrolment-request.ts';
import { FederationError } from '../../federation/errors.ts';
import { MEDIA_TYPE, TYP } from '../../federation/media-types.ts';
import { endpointUrl } from '../../issuance/authority-endpoints.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import {
  addOutboundOptions,
  isHttpAllowed,
  type OutboundOptions,
  openOutbound,
  parseNamedEntity,
} from '../outbound-options.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { readPartnerKeys, signAsPartner } from './partner-keys.ts';
import { keyFile, readSettings } from './settings.ts';

interface AskOptions extends OutboundOptions {
  dir: string;
  authority: string;
  name?: string;
  domain?: string;
  terms?: string;
  acceptedBy?: string;
  url?: string;
  print?: boolean;
}

const DESCRIPTION = `Ask a superior that runs Holdfast to enrol you. The request is signed with your key, the one that your published
configuration shows, so publish that first. The superior runs its steps at once and tells what each found: mend what
failed, such as by publishing the challenge for your domain, and ask again. Exits with 1 while a step has failed.`;

const answerSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  steps: z.array(z.looseObject({ step: z.string(), outcome: z.string(), detail: z.string() })),
  domainChallenge: z
    .looseObject({ challenge: z.string(), file: z.string().optional(), record: z.string().optional() })
    .optional(),
});

const errorSchema = z.looseObject({ error: z.string(), error_description: z.string().optional() });

export function addConfigurationAskCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('ask')
    .summary('ask a superior to enrol you, signed with your key')
    .description(DESCRIPTION)
    .requiredOption('--dir <folder>', 'the folder that `configuration init` made')
    .requiredOption('--authority <entity-identifier>', 'the superior')
    .option('--name <text>', 'what people call your entity')
    .option('--domain <name>', 'the domain to prove, above your host; by a DNS record')
    .option('--terms <version>', 'the version of the terms that you accept, with --accepted-by')
    .option('--accepted-by <name>', 'the person who accepts the terms')
    .option(
      '--url <url>',
      'where the superior takes requests, if it says another place than /federation/enrolment-request',
    )
    .option('--print', 'print the signed request instead of sending it; it is good for five minutes, once');
  addOutboundOptions(command).addHelpText(
    'after',
    example('holdfast configuration ask --dir rp --authority https://fed.example.org'),
  );
  command.action(async (options: AskOptions) => {
    const { output } = openSession(command, surroundings);
    const jwt = await signedRequest(options, surroundings);
    if (options.print === true) return output.text(jwt, { jwt });
    const answer = await send(options, surroundings, jwt);
    const { state, steps, domainChallenge } = answer;
    output.result(answer, (report) => {
      report.line(`The enrolment is ${state}.`);
      report.table(
        [],
        steps.map(({ step, outcome, detail }) => [step, outcome, detail]),
      );
      if (steps.every(({ step, outcome }) => step !== 'domain' || outcome === 'passed')) return;
      report.heading('Domain challenge: publish it at one of these places');
      report.facts([
        ['challenge', domainChallenge?.challenge],
        ['file', domainChallenge?.file],
        ['TXT record', domainChallenge?.record],
      ]);
    });
    const failed = steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step);
    if (failed.length === 0) return;
    throw new CommandError('refused', `steps failed: ${failed.join(', ')}`, {
      hint: 'Mend them, then ask again.',
      code: 'checks_failed',
    });
  });
}

async function signedRequest(options: AskOptions, surroundings: Surroundings): Promise<string> {
  const { dir, name, domain, terms, acceptedBy } = options;
  if ((terms === undefined) !== (acceptedBy === undefined)) {
    throw new CommandError('usage', '--terms and --accepted-by go together');
  }
  const allowHttp = isHttpAllowed(options, surroundings);
  const entity = parseNamedEntity((await readSettings(dir, surroundings)).entity, allowHttp);
  const audience = parseNamedEntity(options.authority, allowHttp);
  const [key] = (await readPartnerKeys(keyFile(dir))).keys;
  if (key === undefined) throw new CommandError('usage', `${keyFile(dir)} holds no key`);
  const iat = Math.floor(Date.now() / 1000);
  const enrolment = { name, domain, ...(terms !== undefined && { terms: { version: terms, acceptedBy } }) };
  const life = { iat, exp: iat + MAX_ENROLMENT_REQUEST_SECONDS, jti: randomUUID() };
  const claims = { iss: entity, sub: entity, aud: audience, ...life, enrolment };
  return await signAsPartner(key, TYP.enrolmentRequest, JSON.stringify(claims));
}

async function send(
  options: AskOptions,
  surroundings: Surroundings,
  jwt: string,
): Promise<z.infer<typeof answerSchema>> {
  const authority = parseNamedEntity(options.authority, isHttpAllowed(options, surroundings));
  await using outbound = await openOutbound(options, surroundings, [authority]);
  const url = options.url ?? endpointUrl(authority, 'enrolmentRequest');
  const request = { body: jwt, contentType: MEDIA_TYPE.enrolmentRequest, accept: [MEDIA_TYPE.json] };
  const { status, body } = await outbound.post(url, request).catch((error: unknown) => {
    if (!(error instanceof FederationError)) throw error;
    throw new CommandError('unreachable', error.message, { code: error.reason, cause: error });
  });
  const answer: unknown = jsonOf(body);
  const accepted = answerSchema.safeParse(answer);
  if (status === 202 && accepted.success) return accepted.data;
  const refusal = errorSchema.safeParse(answer);
  const why = refusal.success ? (refusal.data.error_description ?? refusal.data.error) : `HTTP ${status}`;
  const code = refusal.success ? refusal.data.error : 'refused';
  throw new CommandError('refused', `${authority} refused the request: ${why}`, { code });
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
