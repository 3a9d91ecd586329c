/** `holdfast policy test`: merges metadata policies from files and applies them. @see OIDFED §6.1.4 */
import type { Command } from 'commander';
import { type Constraints, checkConstraints } from '../../federation/constraints.ts';
import { FederationError } from '../../federation/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../federation/json.ts';
import { checkMetadata, type Metadata } from '../../federation/metadata/metadata.ts';
import type { MetadataStep } from '../../federation/metadata/metadata-trace.ts';
import { resolveMetadata, type SubordinateStatementRules } from '../../federation/metadata/resolve-metadata.ts';
import { OperatorRegistry } from '../../federation/policy/operator.ts';
import { checkMetadataPolicyCrit, parseMetadataPolicy } from '../../federation/policy/parse-policy.ts';
import { STANDARD_OPERATORS } from '../../federation/policy/standard-operators.ts';
import { type ExplainedMetadata, explainMetadata } from '../../resolver/explained-metadata.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { nameOf, readJsonObjectInput } from '../input-file.ts';
import { showMetadataSteps } from '../metadata-report.ts';
import { repeatable } from '../option-values.ts';
import type { Output } from '../output.ts';
import { openSession, type Session } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { wrappedLines } from '../wrapped-lines.ts';

interface TestOptions {
  policy: string[];
  metadata: string;
  subject?: string;
}

const DESCRIPTION = `Merge metadata policies from files, from the Trust Anchor's down, apply them to metadata, and show
step by step what each does. A policy file holds a metadata_policy, or claims of a Subordinate Statement: then metadata
of the last and constraints on Entity Types count as well. Exits with 1 if the policies do not go together, or one
not with itself, or if the metadata does not comply.`;

export function addPolicyTestCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('test')
    .summary('merge and apply policies from files, explained')
    .description(DESCRIPTION)
    .requiredOption('--policy <file>', "a policy; repeat it, the Trust Anchor's first; - is standard input", repeatable)
    .requiredOption('--metadata <file>', "the subject's metadata by Entity Type, or claims with it")
    .option('--subject <entity-identifier>', 'the subject, if its `issuer` in the metadata is to be compared')
    .addHelpText('after', example('holdfast policy test --policy anchor.json --policy ours.json --metadata rp.json'));
  command.action(async (options: TestOptions) => {
    const session = openSession(command, surroundings);
    const statements: SubordinateStatementRules[] = [];
    let superiorMetadata: Metadata | undefined;
    for (const file of options.policy) {
      const { metadata, ...rules } = await readRules(file, session);
      statements.unshift(rules);
      superiorMetadata = metadata;
    }
    const metadata = await readMetadata(options.metadata, session);
    const subject = options.subject ?? issuerOf(metadata);
    test({ subject, metadata, superiorMetadata, subordinateStatements: statements }, session.output);
  });
}

/** The claims that count of one file. @throws CommandError usage */
async function readRules(file: string, session: Session): Promise<SubordinateStatementRules & { metadata?: Metadata }> {
  const content = await readJsonObjectInput(file, session);
  const isStatement = CLAIMS.some((claim) => Object.hasOwn(content, claim));
  const claims: JsonObject = isStatement ? content : { metadata_policy: content };
  return checked(file, () => ({
    place: nameOf(file),
    metadataPolicy: ifPresent(claims['metadata_policy'], (it) => parseMetadataPolicy(it, READABLE)),
    metadataPolicyCrit: ifPresent(claims['metadata_policy_crit'], (it) => checkMetadataPolicyCrit(it)),
    constraints: ifPresent<Constraints>(claims['constraints'], (it) => checkConstraints(it)),
    metadata: ifPresent(claims['metadata'], (it) => checkMetadata(it, { isConfiguration: false })),
  }));
}

/** What contradicts itself can be read; it is explained like what contradicts another policy. */
const READABLE = new OperatorRegistry(
  STANDARD_OPERATORS.ordered.map((operator) => ({ ...operator, combinations: {} })),
);

const CLAIMS = ['metadata_policy', 'metadata_policy_crit', 'metadata', 'constraints'] as const;

async function readMetadata(file: string, session: Session): Promise<Metadata> {
  const content = await readJsonObjectInput(file, session);
  const metadata = isJsonObject(content['metadata']) ? content['metadata'] : content;
  return checked(file, () => checkMetadata(metadata, { isConfiguration: false }));
}

function ifPresent<T>(value: JsonValue | undefined, check: (value: JsonValue) => T): T | undefined {
  return value === undefined ? undefined : check(value);
}

function checked<T>(file: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const message = `${nameOf(file)}: ${error.at} ${error.message}`;
    throw new CommandError('usage', message, { code: error.reason, cause: error });
  }
}

/** Without --subject whatever stands there is taken for right. */
function issuerOf(metadata: Metadata): string {
  const issuers = [metadata['openid_provider'], metadata['oauth_authorization_server']].map((type) => type?.['issuer']);
  return String(issuers.find((issuer) => issuer !== undefined) ?? '');
}

/** @throws CommandError refused */
function test(resolution: Parameters<typeof resolveMetadata>[0], output: Output): void {
  const steps: MetadataStep[] = [];
  const { metadata: published } = resolution;
  const explained = (resolved?: Metadata): ExplainedMetadata =>
    explainMetadata({ steps, published, resolved, issuerAt: (place) => place });
  let resolved: Metadata;
  try {
    resolved = resolveMetadata({ ...resolution, observer: (step) => void steps.push(step) });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const { reason, section, at, message } = error;
    const trace = explained();
    output.result({ complies: false, refusal: { reason, section, at, message }, metadata: trace }, (report) => {
      report.heading('What each policy did');
      showMetadataSteps(trace, report, '  ');
      report.heading(`✗ ${reason} (§${section}) at ${at}`);
      for (const line of wrappedLines(message, '  ', '  ')) report.line(line);
    });
    throw new CommandError('refused', `${at} ${message}`, { code: reason });
  }
  const trace = explained(resolved);
  output.result({ complies: true, resolved, metadata: trace }, (report) => {
    report.heading('What each policy did');
    showMetadataSteps(trace, report, '  ');
    report.heading('Metadata');
    report.json(resolved);
  });
}
