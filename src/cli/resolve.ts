/** `holdfast resolve`: resolves an entity from here, without a service and without a database. @see OIDFED §10 */
import type { Command } from 'commander';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';
import { readAnchorKeys } from './anchor/anchor-keys.ts';
import { CommandError } from './command-error.ts';
import { example } from './help-text.ts';
import { repeatable } from './option-values.ts';
import {
  addOutboundOptions,
  isHttpAllowed,
  type OutboundOptions,
  openOutbound,
  parseNamedEntity,
} from './outbound-options.ts';
import { showAttempts, showResolution } from './resolution-report.ts';
import { openSession, type Session } from './session.ts';
import type { Surroundings } from './surroundings.ts';

interface ResolveOptions extends OutboundOptions {
  anchor: string[];
  anchorJwks: string[];
  entityType?: string[];
}

const DESCRIPTION =
  'Resolve an entity: find its Trust Chains, check everything, apply the policies, show what follows. ' +
  'Needs no running service and no database. If nothing resolves, shows what was tried and why it failed, ' +
  'and exits with 1.';

export function addResolveCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('resolve')
    .summary('resolve an entity and explain the result')
    .description(DESCRIPTION)
    .argument('<entity-identifier>', 'the entity to resolve')
    .requiredOption('--anchor <entity-identifier>', 'a Trust Anchor; may be repeated, each with its keys', repeatable)
    .requiredOption('--anchor-jwks <file>', 'its JWK Set, or its Entity Configuration; - is standard input', repeatable)
    .option('--entity-type <type>', 'show metadata of this Entity Type only; may be repeated', repeatable);
  addOutboundOptions(command).addHelpText(
    'after',
    example('holdfast resolve https://rp.example.edu --anchor https://fed.example.org --anchor-jwks fed-keys.json'),
  );
  command.action(async (given: string, options: ResolveOptions) => {
    const session = openSession(command, surroundings);
    const allowHttp = isHttpAllowed(options, surroundings);
    const subject = parseNamedEntity(given, allowHttp);
    const trustAnchors = await readTrustAnchors(options, allowHttp, session);
    await using outbound = await openOutbound(options, surroundings, [subject, ...trustAnchors.keys()]);
    const { createResolver } = await import('../resolver/resolver.ts');
    const clock = { now: () => Math.floor(Date.now() / 1000) };
    const resolver = createResolver({ outbound, clock, allowHttp, timeoutMs: options.timeout * 1000 });
    const outcome = await resolver.resolve({ subject, trustAnchors });
    if ('resolved' in outcome) return showResolution(outcome.resolved, options.entityType, session.output);
    showAttempts(subject, outcome.attempts, session.output);
    throw notResolved(subject, outcome.attempts);
  });
}

async function readTrustAnchors(
  { anchor: anchors, anchorJwks: files }: ResolveOptions,
  allowHttp: boolean,
  session: Session,
): Promise<TrustAnchors> {
  if (anchors.length !== files.length) {
    throw new CommandError('usage', 'every --anchor needs its --anchor-jwks, in the same order');
  }
  const trustAnchors = new Map<EntityIdentifier, JwkSet>();
  for (const [index, given] of anchors.entries()) {
    const anchor = parseNamedEntity(given, allowHttp);
    const { jwks, warning } = await readAnchorKeys({ anchor, file: files[index] ?? '', allowHttp }, session);
    if (warning !== undefined) session.output.warn(warning);
    trustAnchors.set(anchor, jwks);
  }
  return trustAnchors;
}

function notResolved(subject: EntityIdentifier, attempts: readonly Attempt[]): CommandError {
  const hint = attempts.some(({ retryable }) => retryable === true)
    ? 'A network or server failed on the way; the same may succeed later.'
    : undefined;
  return new CommandError('refused', `${subject} does not resolve`, { code: 'not_resolved', hint });
}
