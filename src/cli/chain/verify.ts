/** `holdfast chain verify`: judges a Trust Chain from a file, now or as of a time. @see OIDFED §10.2, §8.7 */
import { type Command, InvalidArgumentError } from 'commander';
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import type { Metadata } from '../../federation/metadata/metadata.ts';
import type { MetadataStep } from '../../federation/metadata/metadata-trace.ts';
import { decodeJwt } from '../../federation/signature.ts';
import { type Attempt, attemptOf } from '../../federation/trust-chain/attempt.ts';
import type { TrustAnchors, TrustChain } from '../../federation/trust-chain/trust-chain.ts';
import type { ExplainedMetadata } from '../../resolver/explained-metadata.ts';
import type { Mender } from '../../resolver/who-can-mend.ts';
import { CommandError } from '../command-error.ts';
import { menderText } from '../explanation-report.ts';
import { example } from '../help-text.ts';
import { nameOf, readTextInput } from '../input-file.ts';
import { showMetadataSteps } from '../metadata-report.ts';
import type { Report } from '../report.ts';
import { openLocalSession, type Session } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText, shortMoment } from '../times.ts';
import { addTrustAnchorOptions, readTrustAnchors, type TrustAnchorOptions } from '../trust-anchor-options.ts';
import { understoodClaims } from '../understood-claims.ts';
import { wrappedLines } from '../wrapped-lines.ts';
import { readTrustChain } from './chain-file.ts';

interface VerifyOptions extends TrustAnchorOptions {
  at?: number;
  historicalKeys?: string;
  allowHttp?: boolean;
}

const DESCRIPTION = `Verify a Trust Chain from a file: every statement, signature, constraint and policy, and what they
make of the metadata. Nothing is fetched, so Trust Marks are not judged. --at asks whether it held at another time; then
keys that the Trust Anchor no longer uses count as far as its historical keys vouch for them. Exits with 1 if it does
not hold.`;

export function addChainVerifyCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('verify')
    .summary('verify a Trust Chain from a file')
    .description(DESCRIPTION)
    .argument('<file>', 'JSON array of JWTs, or a resolve response; - is standard input');
  addTrustAnchorOptions(command)
    .option('--at <time>', 'judge as of this time, such as 2027-01-15T08:00:00Z or seconds since the epoch', moment)
    .option('--historical-keys <file>', "the Trust Anchor's historical keys, as its endpoint gives them")
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .addHelpText(
      'after',
      example(
        'holdfast chain verify chain.json --anchor https://fed.example.org --anchor-jwks fed-keys.json',
        'holdfast chain verify chain.json --at 2027-01-15T08:00:00Z --anchor https://fed.example.org \\',
        '    --anchor-jwks fed-keys.json --historical-keys fed-historical-keys.jwt',
      ),
    );
  command.action(async (file: string, options: VerifyOptions) => {
    const session = openLocalSession(command, surroundings, options);
    const configured = await readTrustAnchors(options, session);
    if (options.historicalKeys !== undefined && options.at === undefined) {
      throw new CommandError('usage', '--historical-keys say something about the past only: add --at TIME');
    }
    const chain = await readTrustChain(file, session);
    const trustAnchors = await withHistory(chain, configured, options.historicalKeys, session);
    const { at = session.clock.now() } = options;
    const judged = await judge(chain, trustAnchors, {
      ...{ now: at, allowHttp: session.allowHttp },
      understoodClaims: understoodClaims(session),
    });
    const verification = await describe(judged, { at, trustAnchors });
    session.output.result(verification, (report) => show(verification, report));
    if ('reason' in judged.verdict)
      throw new CommandError('refused', 'the Trust Chain does not hold', { code: judged.verdict.reason });
  });
}

/** @throws InvalidArgumentError */
function moment(text: string): number {
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isNaN(seconds)) throw new InvalidArgumentError('Write it as 2027-01-15T08:00:00Z, or in seconds.');
  return Math.floor(seconds);
}

/** @throws CommandError usage */
async function withHistory(
  chain: readonly string[],
  trustAnchors: TrustAnchors,
  file: string | undefined,
  session: Session,
): Promise<TrustAnchors> {
  if (file === undefined) return trustAnchors;
  const history = await import('../../federation/trust-chain/historical-keys.ts');
  const jwt = (await readTextInput(file, session)).trim();
  try {
    const issuer = decodeJwt(jwt).claims['iss'] as EntityIdentifier;
    const jwks = trustAnchors.get(issuer);
    if (jwks === undefined) throw new FederationError('trust_anchor_unknown', `are of ${issuer}, which is no --anchor`);
    const keys = await history.validateHistoricalKeys(jwt, { issuer, jwks });
    return history.withHistoricalKeys(chain, trustAnchors, keys);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const message = `the historical keys in ${nameOf(file)} cannot be used: ${error.at} ${error.message}`;
    throw new CommandError('usage', message.replace('  ', ' '), { code: error.reason, cause: error });
  }
}

interface Judged {
  statements: JsonObject[];
  verdict: TrustChain | Attempt;
  steps: MetadataStep[];
}

async function judge(
  chain: readonly string[],
  trustAnchors: TrustAnchors,
  options: { now: number; allowHttp: boolean; understoodClaims: ReadonlySet<string> },
): Promise<Judged> {
  const { validateTrustChain } = await import('../../federation/trust-chain/validate-trust-chain.ts');
  const steps: MetadataStep[] = [];
  const statements = chain.map(claimsOf);
  const observer = (step: MetadataStep) => void steps.push(step);
  try {
    return { statements, verdict: await validateTrustChain(chain, { ...options, trustAnchors, observer }), steps };
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const way = new Set(statements.map(({ iss }) => String(iss) as EntityIdentifier));
    return { statements, verdict: { ...attemptOf(way, error), complete: true }, steps };
  }
}

/** For show only; what cannot be decoded is refused with the chain. */
function claimsOf(jwt: string): JsonObject {
  try {
    const { claims, header } = decodeJwt(jwt);
    return { ...claims, kid: header['kid'] ?? null };
  } catch (error) {
    if (error instanceof FederationError) return {};
    throw error;
  }
}

/** What is told of a chain, for machines as it is. */
interface Verification {
  valid: boolean;
  subject: EntityIdentifier;
  /** The moment that it was judged by, seconds since the epoch. */
  at: number;
  trustAnchor?: EntityIdentifier;
  expiresAt?: number;
  refusal?: Pick<Attempt, 'reason' | 'section' | 'at' | 'message'> & { whoCanMend: Mender };
  chain: JsonObject[];
  /** What each superior did to the metadata, and what came out. */
  metadata: ExplainedMetadata;
  resolved?: Metadata;
}

async function describe(
  { statements, verdict, steps }: Judged,
  { at, trustAnchors }: { at: number; trustAnchors: TrustAnchors },
): Promise<Verification> {
  const { explainMetadata } = await import('../../resolver/explained-metadata.ts');
  const { issuerAtFault, whoCanMend } = await import('../../resolver/who-can-mend.ts');
  const subject = String(statements[0]?.['sub']) as EntityIdentifier;
  const chain = statements.map(({ iss, sub, iat, exp, kid }) => ({ iss, sub, iat, exp, kid }) as JsonObject);
  const traced = {
    steps,
    published: (statements[0]?.['metadata'] ?? {}) as Metadata,
    issuerAt: (place: string) => String(statements[Number(/\d+/.exec(place)?.[0])]?.['iss'] ?? place),
  };
  if ('reason' in verdict) {
    const { reason, section, at: place, message } = verdict;
    const mender = whoCanMend(reason, { subject, trustAnchors, issuer: issuerAtFault(verdict, subject) });
    const refusal = { reason, section, at: place, message, whoCanMend: mender };
    return { valid: false, subject, at, refusal, chain, metadata: explainMetadata(traced) };
  }
  const { trustAnchor, expiresAt, metadata: resolved } = verdict;
  const metadata = explainMetadata({ ...traced, resolved });
  return { valid: true, subject, at, trustAnchor, expiresAt, chain, metadata, resolved };
}

function show(
  { valid, subject, at, trustAnchor, expiresAt, refusal, chain, ...rest }: Verification,
  report: Report,
): void {
  report.heading(subject);
  report.facts([
    ['verdict', `${valid ? 'holds' : 'does not hold'}, as of ${shortMoment(at)}`],
    ['Trust Anchor', trustAnchor],
    ['good until', expiresAt === undefined ? undefined : momentText(expiresAt)],
  ]);
  report.heading('Trust Chain');
  chain.forEach(({ iss, sub, iat, exp }, index) => {
    write(report, `${String(iss)} → ${String(sub)}`, `  ES[${index}]  `, '         ');
    report.line(`         ${shortMoment(Number(iat))} to ${shortMoment(Number(exp))}`);
  });
  if (refusal !== undefined) {
    report.heading(`✗ ${refusal.reason} (§${refusal.section}) at ${refusal.at}`);
    write(report, refusal.message, '  ', '    ');
    write(report, `who can mend it: ${menderText(refusal.whoCanMend)}`, '  ', '    ');
  }
  if (rest.metadata.parameters.length + rest.metadata.removedEntityTypes.length > 0) {
    report.heading('What each superior did');
    showMetadataSteps(rest.metadata, report, '  ');
  }
  if (rest.resolved === undefined) return;
  report.heading('Metadata');
  report.json(rest.resolved);
}

function write(report: Report, text: string, first: string, margin: string): void {
  for (const line of wrappedLines(text, first, margin)) report.line(line);
}
