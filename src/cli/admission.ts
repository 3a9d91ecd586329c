/** `holdfast admission ask`: what an enforcement point would be answered, and why. */
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandError } from './command-error.ts';
import { readCertificateInput } from './credential/material-options.ts';
import { findEnforcementPoint, POINT_ARGUMENT } from './enforcement-point/enforcement-point-records.ts';
import { example } from './help-text.ts';
import { readTextInput } from './input-file.ts';
import type { Report } from './report.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { momentText } from './times.ts';

const stepSchema = z.looseObject({
  check: z.string(),
  outcome: z.string(),
  rule: z.string(),
  detail: z.string(),
  hint: z.string().nullable(),
});

const named = z.looseObject({ id: z.string(), legalName: z.string() });

const trialSchema = z.looseObject({
  decision: z.string(),
  reasons: z.array(z.string()),
  application: z.looseObject({ entityIdentifier: z.string() }).nullable(),
  organisation: named.nullable(),
  onBehalfOf: named.nullable(),
  roles: z.array(z.looseObject({ name: z.string() })),
  exceptions: z.array(z.string()),
  chain: z.looseObject({ trustAnchor: z.string(), trustMarkTypes: z.array(z.string()) }).nullable(),
  seq: z.number(),
  validUntil: z.string(),
  steps: z.array(stepSchema).optional(),
});

type Trial = z.infer<typeof trialSchema>;

interface AskOptions {
  at: string;
  certificate?: string;
  x5t?: string;
  tokenFile?: string;
  api?: string;
  entity?: string;
  onBehalfOf?: string;
  explain?: boolean;
}

const DESCRIPTION = `Ask what an enforcement point would be answered now about a certificate, and a token. Nobody is
let in by it, and it stands in no log. Exits with 1 if it is denied.`;

export function addAdmissionCommand(program: Command, surroundings: Surroundings): void {
  const asking = example('holdfast admission ask --at gw-1 --certificate client.pem --explain');
  const admission = program.command('admission').description('Ask who would be admitted.').addHelpText('after', asking);
  const command = admission
    .command('ask')
    .summary('what an enforcement point would be answered')
    .description(DESCRIPTION)
    .requiredOption('--at <point>', `the enforcement point: ${POINT_ARGUMENT}`)
    .option('--certificate <file>', 'the client certificate as PEM or DER; - is standard input')
    .option('--x5t <digest>', 'in its place the SHA-256 of it, base64url')
    .option('--token-file <file>', 'the access token')
    .option('--api <id>', 'the API resource, where the enforcement point has none of its own')
    .option('--entity <identifier>', 'the application by its Entity Identifier; then its Trust Chain counts, too')
    .option('--on-behalf-of <id>', 'the organisation that it acts for')
    .option('--explain', 'with the steps that led to it, and who can mend what failed')
    .addHelpText('after', asking);
  command.action(async ({ at, explain, ...options }: AskOptions) => {
    const session = openServiceSession(command, surroundings);
    const body = await bodyOf(options, surroundings);
    const { id } = await findEnforcementPoint(session.client, at);
    const path = `enforcement-points/${id}/admission`;
    const query = explain === true ? { explain: '1' } : {};
    const trial = await session.client.send({ method: 'POST', path, query, body }, trialSchema);
    session.output.result(trial, (report) => describe(trial, report));
    if (trial.decision !== 'allow') throw new CommandError('refused', `denied: ${trial.reasons.join(', ')}`);
  });
}

async function bodyOf(
  { certificate, x5t, tokenFile, api, entity, onBehalfOf }: Omit<AskOptions, 'at' | 'explain'>,
  surroundings: Surroundings,
): Promise<Record<string, string | undefined>> {
  const chain = certificate === undefined ? undefined : await readCertificateInput(certificate, surroundings);
  const token = tokenFile === undefined ? undefined : (await readTextInput(tokenFile, surroundings)).trim();
  const [leaf] = chain?.match(/-----BEGIN.*?-----END CERTIFICATE-----/s) ?? [];
  return { certificate: leaf, 'x5t#S256': x5t, token, api, entityId: entity, onBehalfOf };
}

const MARKS: Readonly<Record<string, string>> = { passed: '✓', failed: '✗', skipped: '·' };

function describe(trial: Trial, report: Report): void {
  const { decision, reasons, application, organisation, onBehalfOf, roles, exceptions, chain, steps } = trial;
  report.heading(reasons.length === 0 ? decision : `${decision}: ${reasons.join(', ')}`);
  report.facts([
    ['application', application?.entityIdentifier],
    ['organisation', organisation?.legalName],
    ['on behalf of', onBehalfOf?.legalName],
    ['roles', roles.length === 0 ? undefined : roles.map(({ name }) => name).join(', ')],
    ['let off', exceptions.length === 0 ? undefined : exceptions.join(', ')],
    ['Trust Anchor', chain?.trustAnchor],
    ['Trust Marks', chain === null || chain.trustMarkTypes.length === 0 ? undefined : chain.trustMarkTypes.join(' ')],
    ['as of seq', String(trial.seq)],
    ['good until', decision === 'allow' ? momentText(trial.validUntil) : undefined],
  ]);
  if (steps === undefined) return;
  report.heading('What was looked at, in this order');
  for (const { check, outcome, detail, rule, hint } of steps) {
    report.line(`${MARKS[outcome] ?? '?'} ${check}: ${detail} (${rule})`);
    if (hint !== null) report.line(`    ${hint}`);
  }
}
