/** Subjects that no authority of ours vouches for, asked for by callers that proved no name. @see OIDFED §18.1 */
import { FederationError } from '../../federation/errors.ts';
import type { Clock } from '../../federation/time.ts';
import type { ResolveOutcome } from '../../resolver/resolution.ts';
import type { BackgroundEvaluations, KnownRefusal } from './background-evaluations.ts';
import { resolutionRefusal } from './resolution-refusal.ts';
import type { ResolutionRequest, Resolutions } from './resolutions.ts';
import { TryAgainLater } from './try-again-later.ts';

/**
 * `refuse`: nothing is fetched. `background`: evaluated while the caller is told to come again. `on-demand`: evaluated
 * at once. The last two only within the budget of the background evaluations.
 */
export type AnonymousResolution = 'refuse' | 'background' | 'on-demand';

/** Most evaluations take less; who comes back earlier is told the same again. */
const QUEUED_RETRY_SECONDS = 2;
const DROPPED_RETRY_SECONDS = 30;

export interface StrangerOptions {
  anonymous: AnonymousResolution;
  background: BackgroundEvaluations;
  /** What was evaluated before. */
  resolutions: Pick<Resolutions, 'peekAny'>;
  clock: Clock;
  /** Called before something is evaluated for this caller; may refuse it. */
  charge: () => void;
}

/**
 * Evaluates as far as anybody may have that, else answers from what is evaluated already: of several Trust Anchors that
 * may be another than the first, towards which nobody ever tried.
 * @throws FederationError subject_not_evaluated; what is known of the subject
 * @throws TryAgainLater evaluation_under_way
 */
export async function evaluateForAnybody(
  request: ResolutionRequest,
  options: StrangerOptions,
): Promise<ResolveOutcome> {
  const evaluated = options.resolutions.peekAny(request);
  if (evaluated === undefined) return await evaluateStranger(request, options);
  try {
    const outcome = await evaluateStranger(request, options);
    return 'resolved' in outcome ? outcome : { resolved: evaluated };
  } catch (error) {
    if (error instanceof FederationError) return { resolved: evaluated };
    throw error;
  }
}

async function evaluateStranger(
  request: ResolutionRequest,
  { anonymous, background, clock, charge }: StrangerOptions,
): Promise<ResolveOutcome> {
  if (anonymous === 'refuse') {
    const message =
      'this subject was not evaluated here; only subjects under our authorities are resolved for everybody';
    throw new FederationError('subject_not_evaluated', message, 'sub');
  }
  const known = background.knownRefusal(request);
  if (known !== undefined) throw refusalAgain(known, clock);
  if (anonymous === 'background') throw queued(request, background, charge);
  charge();
  const outcome = await background.evaluate(request);
  if (outcome !== undefined) return outcome;
  const message = 'too much is evaluated for anonymous callers at the moment; try again later';
  throw new TryAgainLater('resolution_unavailable', message, {
    retryAfterSeconds: background.secondsUntilAllowed(),
  });
}

function queued(request: ResolutionRequest, background: BackgroundEvaluations, charge: () => void): TryAgainLater {
  if (!background.isUnderWay(request)) charge();
  const retryAfterSeconds = background.enqueue(request) ? QUEUED_RETRY_SECONDS : DROPPED_RETRY_SECONDS;
  return new TryAgainLater('evaluation_under_way', 'this subject is not evaluated yet; try again shortly', {
    retryAfterSeconds,
  });
}

function refusalAgain({ wire, until }: KnownRefusal, clock: Clock): FederationError {
  const refused = resolutionRefusal(wire);
  if (wire !== 'temporarily_unavailable') return refused;
  return new TryAgainLater(refused.reason, refused.message, { retryAfterSeconds: until - clock.now() });
}
