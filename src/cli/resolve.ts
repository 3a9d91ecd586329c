/** `holdfast resolve`: resolves an entity from here, without a service and without a database. @see OIDFED §10 */
import type { Command } from 'commander';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';
import type { ResolveRequest } from '../resolver/resolution.ts';
import type { Resolver } from '../resolver/resolver.ts';
import { CommandError } from './command-error.ts';
import { example } from './help-text.ts';
import { repeatable } from './option-values.ts';
import { addOutboundOptions, type OutboundOptions, openOutbound, parseNamedEntity } from './outbound-options.ts';
import { showAttempts, showExplainedResolution, showResolution } from './resolution-report.ts';
import { openLocalSession, type Session } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { addTrustAnchorOptions, readTrustAnchors, type TrustAnchorOptions } from './trust-anchor-options.ts';
import { understoodClaims } from './understood-claims.ts';

interface ResolveOptions extends OutboundOptions, TrustAnchorOptions {
  entityType?: string[];
  explain?: boolean;
}

const DESCRIPTION =
  'Resolve an entity: find its Trust Chains, check everything, apply the policies, show what follows. ' +
  'Needs no running service and no database. If nothing resolves, shows what was tried and why it failed, ' +
  'and exits with 1. --explain draws everything that was found above the entity, who can mend what was refused, ' +
  'and what each superior did to the metadata.';

export function addResolveCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('resolve')
    .summary('resolve an entity and explain the result')
    .description(DESCRIPTION)
    .argument('<entity-identifier>', 'the entity to resolve');
  addTrustAnchorOptions(command)
    .option('--entity-type <type>', 'show metadata of this Entity Type only; may be repeated', repeatable)
    .option('--explain', 'show everything that was found, and what each superior did');
  const anchor = '--anchor https://fed.example.org --anchor-jwks fed-keys.json';
  addOutboundOptions(command).addHelpText(
    'after',
    example(
      `holdfast resolve https://rp.example.edu ${anchor}`,
      '# why not?',
      `holdfast resolve https://rp.example.edu ${anchor} --explain`,
    ),
  );
  command.action(async (given: string, options: ResolveOptions) => {
    const session = openLocalSession(command, surroundings, options);
    const { allowHttp, clock, output } = session;
    const subject = parseNamedEntity(given, allowHttp);
    const trustAnchors = await readTrustAnchors(options, session);
    await using outbound = await openOutbound(options, surroundings, [subject, ...trustAnchors.keys()]);
    const { createResolver } = await import('../resolver/resolver.ts');
    const { TrustMarkStatusClient } = await import('../resolver/trust-mark-status.ts');
    const trustMarkStatus = new TrustMarkStatusClient({ outbound, clock, allowHttp });
    const timeoutMs = options.timeout * 1000;
    const resolver = createResolver({
      ...{ outbound, clock, allowHttp, timeoutMs, trustMarkStatus },
      understoodClaims: understoodClaims(session),
    });
    const request = { subject, trustAnchors };
    if (options.explain === true) return await explain(resolver, request, options, session);
    const outcome = await resolver.resolve(request);
    if ('resolved' in outcome) return showResolution(outcome.resolved, options.entityType, output);
    showAttempts(subject, outcome.attempts, output);
    throw notResolved(subject, outcome.attempts);
  });
}

async function explain(
  resolver: Resolver,
  request: ResolveRequest,
  { entityType }: ResolveOptions,
  { output }: Session,
): Promise<void> {
  const { describeExplanation } = await import('../resolver/explanation.ts');
  const explanation = await resolver.explain(request);
  showExplainedResolution(describeExplanation(request, explanation), entityType, output);
  const { outcome } = explanation;
  if ('attempts' in outcome) throw notResolved(request.subject, outcome.attempts);
}

function notResolved(subject: EntityIdentifier, attempts: readonly Attempt[]): CommandError {
  const hint = attempts.some(({ retryable }) => retryable === true)
    ? 'A network or server failed on the way; the same may succeed later.'
    : undefined;
  return new CommandError('refused', `${subject} does not resolve`, { code: 'not_resolved', hint });
}
