/** The resolve endpoint: a subject's metadata and Trust Chain, vouched for by this authority. @see OIDFED §8.3 */
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../../federation/identifiers.ts';
import type { TrustAnchors } from '../../federation/trust-chain/trust-chain.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { AnswerExtras, SignedResolutions } from '../../issuance/signed-resolutions.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { type OwnAuthority, readStanding } from '../../registry/entities/read-standing.ts';
import type { Resolution, ResolveOutcome } from '../../resolver/resolution.ts';
import { verdictOf } from '../../resolver/verdict.ts';
import type { Db } from '../../storage/connect.ts';
import type { BackgroundEvaluations } from './background-evaluations.ts';
import type { Caller, Callers } from './callers.ts';
import type { ClientQuotas } from './client-quotas.ts';
import type { Exchange } from './exchange.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import type { Question } from './known-questions.ts';
import { ownResolution } from './own-chain.ts';
import { asIdentifier, identifierParameter } from './parameters.ts';
import { resolutionRefusal } from './resolution-refusal.ts';
import type { Payer, Resolutions } from './resolutions.ts';
import { servedTrustAnchors } from './served-trust-anchors.ts';
import { type AnonymousResolution, evaluateForAnybody } from './strangers.ts';

export interface ResolveDependencies {
  db: Db;
  resolutions: Resolutions;
  signed: SignedResolutions;
  identifiers: IdentifierOptions;
  callers: Callers;
  quotas: ClientQuotas;
  background: BackgroundEvaluations;
  /** What anonymous callers get about a subject that was not evaluated. */
  anonymous: AnonymousResolution;
}

type Dependencies = Pick<FederationDependencies, 'resolve' | 'directory'>;
type Extras = Pick<AnswerExtras, 'audience' | 'charge'>;

/**
 * Answers from what is evaluated already, or evaluates a subject that an authority of ours vouches for. Any other
 * subject is evaluated for callers that proved a name; for all others as configured.
 * @throws FederationError parameter_missing, entity_identifier_invalid, trust_anchor_not_served, subject_not_evaluated,
 *   and what became of the resolution
 * @throws TryAgainLater evaluation_under_way, rate_limited
 */
export function answerResolve(
  { served, exchange, caller: prover }: EndpointRequest,
  dependencies: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  if (exchange.isPost) return answerProver({ served, exchange, caller: prover }, dependencies);
  const { resolutions } = dependencies.resolve;
  const { url } = exchange.request;
  const known = resolutions.knownQuestions.get(served, url);
  const question = known ?? questionOf(served, exchange.parameters, dependencies);
  const ready = resolutions.peek(question.request);
  if (ready !== undefined) {
    if (known === undefined) resolutions.knownQuestions.add(url, question);
    return knownAnswer(question, ready, exchange, dependencies);
  }
  return evaluate();

  async function evaluate(): Promise<ReadyAnswer> {
    const { quotas } = dependencies.resolve;
    const caller = await tokenHolder(served, exchange, dependencies);
    exchange.once('lookup', () => quotas.charge(exchange, caller, 'lookup'));
    return await evaluatedAnswer(question, caller, exchange, dependencies);
  }
}

/** A POST with a client assertion: the answer names its caller, if that is known here. */
async function answerProver(
  { served, exchange, caller }: EndpointRequest,
  dependencies: FederationDependencies,
): Promise<ReadyAnswer> {
  const { quotas, resolutions } = dependencies.resolve;
  const question = questionOf(served, exchange.parameters, dependencies);
  exchange.once('lookup', () => quotas.charge(exchange, caller, 'lookup'));
  const ready = resolutions.peek(question.request);
  if (ready !== undefined) {
    return await signedAnswer(question, ready, extrasFor(caller, exchange, dependencies), dependencies);
  }
  return await evaluatedAnswer(question, caller, exchange, dependencies);
}

function questionOf(
  served: ServedAuthority,
  parameters: URLSearchParams,
  { resolve, directory }: Dependencies,
): Question {
  const subject = identifierParameter(parameters, 'sub', resolve.identifiers);
  const requested = parameters.getAll('trust_anchor');
  if (requested.length === 0) {
    throw new FederationError('parameter_missing', 'the parameter trust_anchor is required', 'trust_anchor');
  }
  const wanted = requested.map((anchor) => asIdentifier(anchor, 'trust_anchor', resolve.identifiers));
  const known = servedTrustAnchors(served, directory);
  const trustAnchors: TrustAnchors = new Map(
    wanted.flatMap((anchor) => {
      const jwks = known.get(anchor);
      return jwks === undefined ? [] : [[anchor, jwks] as const];
    }),
  );
  if (trustAnchors.size === 0) {
    throw new FederationError('trust_anchor_not_served', 'none of these Trust Anchors is served here', 'trust_anchor');
  }
  const request = resolve.resolutions.prepare({ scope: served.authority.id, subject, trustAnchors });
  return { served, request, entityTypes: parameters.getAll('entity_type'), place: undefined };
}

/** What anybody gets; found at once where it was given for this question before. Whom to charge is rarely asked. */
function knownAnswer(
  question: Question,
  resolution: Resolution,
  exchange: Exchange,
  dependencies: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const { signed } = dependencies.resolve;
  const { served, entityTypes, place } = question;
  const ready = place && signed.ready(place, resolution);
  if (ready !== undefined) return ready;
  // Towards other Trust Anchors the answer also has the authority's own chain, which changes on its own.
  const hasOwnChain = resolution.trustAnchor !== served.authority.entityIdentifier;
  question.place = hasOwnChain ? undefined : signed.place(served, resolution, entityTypes);
  const charge = async () => {
    const caller = await tokenHolder(served, exchange, dependencies);
    chargeSignature(caller, exchange, dependencies);
  };
  return signedAnswer(question, resolution, { charge }, dependencies);
}

/** The caller of a GET. */
function tokenHolder(
  served: ServedAuthority,
  exchange: Exchange,
  { resolve: { callers, quotas } }: Dependencies,
): Promise<Caller> {
  return exchange.once('caller', () => quotas.identify(exchange, () => callers.byToken(served, exchange.request)));
}

/** An entity that proved its name gets an answer of its own; others pay for a choice of types beyond those kept. */
function extrasFor(caller: Caller, exchange: Exchange, dependencies: Dependencies): Extras {
  if (caller.kind === 'entity') return { audience: caller.entityIdentifier };
  return { charge: async () => chargeSignature(caller, exchange, dependencies) };
}

function chargeSignature(caller: Caller, exchange: Exchange, { resolve: { quotas } }: Dependencies): void {
  exchange.once('signature', () => quotas.charge(exchange, caller, 'signature'));
}

function signedAnswer(
  { served, request, entityTypes }: Question,
  resolution: Resolution,
  extras: Extras,
  { resolve, directory }: Dependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const { resolutions, background, signed } = resolve;
  const own = ownResolution(served, request, resolution.trustAnchor, { resolutions, background, directory });
  const sign = (known: Resolution | undefined) =>
    signed.answer(served, resolution, entityTypes, { ...extras, own: known });
  return own instanceof Promise ? own.then(sign) : sign(own);
}

async function evaluatedAnswer(
  question: Question,
  caller: Caller,
  exchange: Exchange,
  dependencies: FederationDependencies,
): Promise<ReadyAnswer> {
  const { resolve, clock } = dependencies;
  const { request } = question;
  const charge = () => exchange.once('evaluation', () => resolve.quotas.charge(exchange, caller, 'evaluation'));
  const standing = await standingOf(question, caller, dependencies);
  const isStranger = standing === 'stranger' && caller.kind === 'anonymous';
  const outcome = isStranger
    ? await evaluateForAnybody(request, { ...resolve, clock, charge })
    : await evaluateAtOnce();
  if (!('resolved' in outcome)) throw resolutionRefusal(verdictOf(outcome.attempts));
  return await signedAnswer(question, outcome.resolved, extrasFor(caller, exchange, dependencies), dependencies);

  /** Whoever only waits for what another asked for costs nothing more. */
  async function evaluateAtOnce(): Promise<ResolveOutcome> {
    if (!resolve.resolutions.isUnderWay(request)) charge();
    const name = resolve.quotas.nameOf(exchange, caller);
    return await resolve.resolutions.resolve(request, payerOf(request.subject, standing, caller, name));
  }
}

/** As far as it matters for what may be evaluated: an authority of ours itself, a subject that one vouches for, another. */
type SubjectStanding = 'own' | 'vouched for' | 'stranger';

/** @throws FederationError no_valid_trust_chain to anonymous callers for what is no longer vouched for */
async function standingOf(
  { served, request }: Question,
  caller: Caller,
  { resolve, directory }: Dependencies,
): Promise<SubjectStanding> {
  const { subject, trustAnchors } = request;
  const ownAnchors = ownAuthorities(trustAnchors.keys(), directory);
  if (ownAnchors.some(({ authority }) => authority.entityIdentifier === subject)) return 'own';
  const roots: OwnAuthority[] = [served, ...ownAnchors].map(({ authority }) => authority);
  const own = directory.all.map(({ authority }) => authority);
  const standing = await readStanding(resolve.db, subject, roots, own);
  const isEnded =
    caller.kind === 'anonymous' && standing === 'ended' && resolve.resolutions.peekAny(request) === undefined;
  if (isEnded) throw resolutionRefusal('invalid_trust_chain');
  return standing === 'active' ? 'vouched for' : 'stranger';
}

function payerOf(
  subject: EntityIdentifier,
  standing: SubjectStanding,
  caller: Caller,
  name: string,
): Payer | undefined {
  if (standing === 'own') return undefined;
  const isNamed = caller.kind !== 'anonymous';
  return {
    account: isNamed ? { kind: 'named', caller: name } : { kind: 'anybody', subject, isVouchedFor: true },
    slot: { kind: standing === 'vouched for' ? 'vouched for' : 'asked for', caller: name },
  };
}

function ownAuthorities(anchors: Iterable<EntityIdentifier>, directory: AuthorityDirectory): ServedAuthority[] {
  return [...anchors].map((anchor) => directory.find(anchor)).filter((found) => found !== undefined);
}
