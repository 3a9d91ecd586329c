/** The resolve endpoint: a subject's metadata and Trust Chain, vouched for by this authority. @see OIDFED §8.3 */
import { FederationError, type Reason, type WireCode } from '../../federation/errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../../federation/identifiers.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { SignedResolutions } from '../../issuance/signed-resolutions.ts';
import { type Actor, READERS, reaches } from '../../registry/actor.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { type OwnAuthority, readStanding } from '../../registry/entities/read-standing.ts';
import { verdictOf } from '../../resolver/verdict.ts';
import type { Db } from '../../storage/connect.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { asIdentifier, identifierParameter } from './parameters.ts';
import type { Resolutions } from './resolutions.ts';

export interface ResolveDependencies {
  db: Db;
  resolutions: Resolutions;
  signed: SignedResolutions;
  identifiers: IdentifierOptions;
  /** Who a bearer token stands for; callers with one may have a stranger evaluated. */
  authenticate: (secret: string) => Promise<Actor | undefined>;
}

/**
 * Answers from what is evaluated already, or evaluates a subject that an authority of ours vouches for. For any other
 * subject nothing is fetched, unless a reader of this authority asks.
 * @throws FederationError parameter_missing, entity_identifier_invalid, trust_anchor_not_served, subject_not_evaluated,
 *   and what became of the resolution
 */
export function answerResolve(
  { served, query, request }: EndpointRequest,
  { resolve, directory }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const subject = identifierParameter(query, 'sub', resolve.identifiers);
  const requested = query.getAll('trust_anchor');
  if (requested.length === 0) {
    throw new FederationError('parameter_missing', 'the parameter trust_anchor is required', 'trust_anchor');
  }
  const wanted = requested.map((anchor) => asIdentifier(anchor, 'trust_anchor', resolve.identifiers));
  const known = trustAnchorsOf(served, directory);
  const trustAnchors = new Map(
    wanted.flatMap((anchor) => {
      const jwks = known.get(anchor);
      return jwks === undefined ? [] : [[anchor, jwks] as const];
    }),
  );
  if (trustAnchors.size === 0) {
    throw new FederationError('trust_anchor_not_served', 'none of these Trust Anchors is served here', 'trust_anchor');
  }
  const resolveRequest = { scope: served.authority.id, subject, trustAnchors };
  const entityTypes = query.getAll('entity_type');
  const ready = resolve.resolutions.peek(resolveRequest);
  if (ready !== undefined) return resolve.signed.answer(served, ready, entityTypes);
  return evaluate();

  async function evaluate(): Promise<ReadyAnswer> {
    await requirePermission(served, subject, trustAnchors.keys(), request, { resolve, directory });
    const outcome = await resolve.resolutions.resolve(resolveRequest);
    if (!('resolved' in outcome)) throw refusal(verdictOf(outcome.attempts));
    return resolve.signed.answer(served, outcome.resolved, entityTypes);
  }
}

/** Anchors that an authority resolves towards: itself, those pinned for it, and superiors of its own among ours. */
function trustAnchorsOf(served: ServedAuthority, directory: AuthorityDirectory): Map<EntityIdentifier, JwkSet> {
  const anchors = new Map<EntityIdentifier, JwkSet>();
  for (const { entityIdentifier, jwks } of served.trustAnchors) {
    anchors.set(entityIdentifier as EntityIdentifier, jwks as JwkSet);
  }
  const pending = [served];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { entityIdentifier, authorityHints } = next.authority;
    if (anchors.has(entityIdentifier as EntityIdentifier)) continue;
    anchors.set(entityIdentifier as EntityIdentifier, ownKeys(next));
    pending.push(...authorityHints.map((hint) => directory.find(hint)).filter((superior) => superior !== undefined));
  }
  return anchors;
}

function ownKeys({ keys }: ServedAuthority): JwkSet {
  return { keys: keys.filter((key) => key.state === 'active').map((key) => key.publicJwk) } as JwkSet;
}

async function requirePermission(
  served: ServedAuthority,
  subject: EntityIdentifier,
  trustAnchors: Iterable<EntityIdentifier>,
  request: Request,
  { resolve, directory }: Pick<FederationDependencies, 'resolve' | 'directory'>,
): Promise<void> {
  const ownAnchors = [...trustAnchors].map((anchor) => directory.find(anchor)).filter((found) => found !== undefined);
  if (ownAnchors.some(({ authority }) => authority.entityIdentifier === subject)) return;
  const roots: OwnAuthority[] = [served, ...ownAnchors].map(({ authority }) => authority);
  const own = directory.all.map(({ authority }) => authority);
  const standing = await readStanding(resolve.db, subject, roots, own);
  if (standing === 'active' || (await isReader(served, request, resolve))) return;
  if (standing === 'ended') throw refusal('invalid_trust_chain');
  const message = 'this subject was not evaluated here; only subjects under our authorities are resolved for everybody';
  throw new FederationError('subject_not_evaluated', message, 'sub');
}

async function isReader(served: ServedAuthority, request: Request, resolve: ResolveDependencies): Promise<boolean> {
  const [, secret] = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  if (secret === undefined) return false;
  const actor = await resolve.authenticate(secret);
  return (
    actor !== undefined && reaches(actor, served.authority.id) && READERS.some((role) => actor.roles.includes(role))
  );
}

const REFUSALS: Partial<Record<WireCode, { reason: Reason; message: string }>> = {
  not_found: { reason: 'entity_not_found', message: 'the subject publishes no Entity Configuration' },
  invalid_metadata: {
    reason: 'resolved_metadata_invalid',
    message: "the subject's metadata does not go with the policies of its superiors",
  },
  temporarily_unavailable: {
    reason: 'resolution_unavailable',
    message: 'a statement could not be retrieved; try again later',
  },
};

/** What a stranger is told: the verdict, not what we saw on the way. */
function refusal(wire: WireCode): FederationError {
  const message = 'no valid Trust Chain leads from the subject to a requested Trust Anchor';
  const told = REFUSALS[wire] ?? { reason: 'no_valid_trust_chain', message };
  return new FederationError(told.reason, told.message, 'sub');
}
