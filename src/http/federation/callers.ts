/** Who asks a federation endpoint: somebody with a token of this service, an entity, or nobody in particular. @see OIDFED §8.8 */
import {
  CLIENT_ASSERTION_TYPE,
  parseClientAssertion,
  verifyClientAssertion,
} from '../../federation/client-assertion.ts';
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../../federation/identifiers.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import { decodeJwt } from '../../federation/signature.ts';
import type { Clock, NumericDate } from '../../federation/time.ts';
import type { TrustAnchors } from '../../federation/trust-chain/trust-chain.ts';
import { liveKeys } from '../../issuance/subordinate-statement.ts';
import { type Actor, READERS, reaches } from '../../registry/actor.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { readStanding } from '../../registry/entities/read-standing.ts';
import { readSubordinate } from '../../registry/entities/read-subordinate.ts';
import { isEntityToken } from '../../registry/tokens/entity-token.ts';
import type { Resolution } from '../../resolver/resolution.ts';
import type { Db } from '../../storage/connect.ts';
import { optionalParameter } from './parameters.ts';
import type { Resolutions } from './resolutions.ts';
import { servedTrustAnchors } from './served-trust-anchors.ts';
import type { UsedAssertions } from './used-assertions.ts';

/** `token`: a reader of the authority; `entity`: proved by a Federation Entity Key. */
export type Caller =
  | {
      kind: 'anonymous';
      /** Who it says it is; nothing here shows whether that is so. */
      claimed?: EntityIdentifier;
    }
  | { kind: 'token'; id: string }
  | { kind: 'entity'; entityIdentifier: EntityIdentifier };

export const ANONYMOUS: Caller = { kind: 'anonymous' };

/** What the quota of a caller is told of an assertion. */
export interface AssertionCharges {
  /** Called for the entity before its assertion is remembered; may refuse it. */
  charge: (caller: Caller) => void;
  /** Called when the assertion had been used: whoever repeats one does not spend the quota of whom it has it from. */
  giveBack: (caller: Caller) => void;
}

/** What is known of an entity that signs an assertion. */
interface KnownCaller {
  jwks: JwkSet | undefined;
  /** Whom the Trust Anchor vouches for above it; undefined for those registered with us. */
  branch?: string;
}

export interface CallersOptions {
  db: Db;
  directory: AuthorityDirectory;
  /** What was evaluated before. */
  resolutions: Pick<Resolutions, 'peekAny'>;
  /** Who a bearer token stands for. */
  authenticate: (secret: string) => Promise<Actor | undefined>;
  used: UsedAssertions;
  clock: Clock;
  identifiers: IdentifierOptions;
}

export class Callers {
  readonly #options: CallersOptions;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /** The bearer token's owner if it may read the authority's records; any other token makes nobody known. */
  async byToken({ authority }: ServedAuthority, request: Request): Promise<Caller> {
    const [, secret] = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    // Entities read no records of authorities; they prove who they are by an assertion.
    if (secret === undefined || isEntityToken(secret)) return ANONYMOUS;
    const actor = await this.#options.authenticate(secret);
    if (actor === undefined || !reaches(actor, authority.id)) return ANONYMOUS;
    return READERS.some((role) => actor.roles.includes(role)) ? { kind: 'token', id: actor.id } : ANONYMOUS;
  }

  /**
   * The entity that signed the assertion. One that this authority neither vouches for nor evaluated before stays
   * anonymous: its keys are not known, and nothing is fetched to learn them.
   * @throws FederationError client_assertion_missing, client_assertion_invalid, client_assertion_replayed
   * @throws TryAgainLater
   */
  async byAssertion(
    served: ServedAuthority,
    form: URLSearchParams,
    { charge, giveBack }: AssertionCharges,
  ): Promise<Caller> {
    const { clock, identifiers, used } = this.#options;
    const audience = served.authority.entityIdentifier;
    const assertion = parseClientAssertion(assertionOf(form), { audience, now: clock.now(), ...identifiers });
    const { jwks, branch } = await this.#known(served, assertion.caller);
    if (jwks === undefined) return { kind: 'anonymous', claimed: assertion.caller };
    await verifyClientAssertion(assertion, jwks);
    const caller: Caller = { kind: 'entity', entityIdentifier: assertion.caller };
    charge(caller);
    try {
      await used.use(assertion, audience, branch);
    } catch (error) {
      if (error instanceof FederationError && error.reason === 'client_assertion_replayed') giveBack(caller);
      throw error;
    }
    return caller;
  }

  /** The registered keys of an entity that is active here; else those of the chain that it was evaluated by. */
  async #known(served: ServedAuthority, caller: EntityIdentifier): Promise<KnownCaller> {
    const { db, resolutions, directory, clock } = this.#options;
    const own = directory.all.map(({ authority }) => authority);
    const standing = await readStanding(db, caller, [served.authority], own);
    // Whoever is suspended here is nobody here, whatever others say about it.
    if (standing === 'ended') return { jwks: undefined };
    const registered = standing === 'active' ? await this.#registeredKeys(served, caller) : undefined;
    if (registered !== undefined) return { jwks: registered };
    const trustAnchors = servedTrustAnchors(served, directory);
    const resolution = resolutions.peekAny({ scope: served.authority.id, subject: caller, trustAnchors });
    if (resolution === undefined) return { jwks: undefined };
    return { jwks: vouchedKeys(resolution, trustAnchors, clock.now()), branch: branchOf(resolution) };
  }

  /** Registered with the authority itself or with one of ours that is active below it. */
  async #registeredKeys(served: ServedAuthority, caller: EntityIdentifier): Promise<JwkSet | undefined> {
    const { db, directory } = this.#options;
    const own = directory.all.map(({ authority }) => authority);
    const isActive = async (subject: string) => (await readStanding(db, subject, [served.authority], own)) === 'active';
    for (const { id, entityIdentifier } of [served.authority, ...own]) {
      const subordinate = await readSubordinate(db, id, caller);
      if (subordinate === undefined) continue;
      if (id !== served.authority.id && !(await isActive(entityIdentifier))) continue;
      return { keys: liveKeys(subordinate, this.#options.clock.now()) } as JwkSet;
    }
    return undefined;
  }
}

/** @throws FederationError client_assertion_missing, client_assertion_invalid, parameter_repeated */
function assertionOf(form: URLSearchParams): string {
  const assertion = optionalParameter(form, 'client_assertion');
  if (assertion === undefined || assertion === '') {
    const message = 'a POST has a client_assertion; without one this endpoint is asked by GET';
    throw new FederationError('client_assertion_missing', message, 'client_assertion');
  }
  if (optionalParameter(form, 'client_assertion_type') !== CLIENT_ASSERTION_TYPE) {
    const message = `client_assertion_type is ${CLIENT_ASSERTION_TYPE}`;
    throw new FederationError('client_assertion_invalid', message, 'client_assertion_type');
  }
  return assertion;
}

/** What the Immediate Superior says in the validated chain; for a Trust Anchor, what is pinned. */
function vouchedKeys(
  { subject, trustChain }: Resolution,
  trustAnchors: TrustAnchors,
  now: NumericDate,
): JwkSet | undefined {
  const [, statement] = trustChain;
  const isAnchor = trustChain.length === 1;
  const jwks =
    isAnchor || statement === undefined
      ? trustAnchors.get(subject)
      : (decodeJwt(statement).claims['jwks'] as JwkSet | undefined);
  return jwks && { keys: jwks.keys.filter(({ exp }) => exp === undefined || exp > now) };
}

/** All below it count as one, however many it vouches for. */
function branchOf({ subject, trustChain }: Resolution): string {
  const statement = trustChain.at(-2);
  return statement === undefined ? subject : String(decodeJwt(statement).claims['sub']);
}
