/** One walk below an Intermediate elsewhere: its list, theirs, and what resolves of it all. @see COLLECTION §2; OIDFED §8.2 */
import { FederationError } from '../federation/errors.ts';
import { type EntityIdentifier, type IdentifierOptions, isEndpointUrl } from '../federation/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../federation/json.ts';
import { decodeJwt } from '../federation/signature.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';
import { informational } from '../issuance/companion/ui-infos.ts';
import { MAX_ENTITY_TYPES } from '../registry/claims-input.ts';
import type { FoundEntity } from '../registry/collection/save-branch.ts';
import { isStorable } from '../registry/storable.ts';
import type { Resolution } from '../resolver/resolution.ts';
import type { Resolver } from '../resolver/resolver.ts';

export interface BranchWalkOptions extends IdentifierOptions {
  resolver: Pick<Resolver, 'resolve'>;
  /** What a list endpoint lists. @throws FederationError */
  listSubordinates: (endpoint: string, signal: AbortSignal) => Promise<EntityIdentifier[]>;
  /** Whether an identifier is that of an authority of ours: what is below that is no stranger's to tell. */
  isOwn: (identifier: string) => boolean;
}

export interface Branch {
  /** The Intermediate, and the authority of ours that vouches for it. */
  branch: EntityIdentifier;
  superior: EntityIdentifier;
  /** The authority of ours that all chains lead to. */
  trustAnchors: TrustAnchors;
  /** Ends the walk early: with what was found until then. */
  signal: AbortSignal;
}

export interface BranchWalk {
  found: FoundEntity[];
  /** Who definitely has no place there any more; `rest` when that is everybody who was not found. */
  gone: readonly string[] | 'rest';
  /** Something may be found that was not, if it is tried again soon. */
  hasTrouble: boolean;
}

/** Below one Intermediate no more is looked at: an operator cannot make us walk a forest. */
const MAX_ENTITIES = 1_000;
const MAX_REQUESTS = 4_000;
const MAX_LEVELS = 8;
/** Whoever lists many that are none of its own has us ask for no more of them. */
const MAX_FAILURES = 200;
/** Evaluated at a time; a walk is in no hurry. */
const CONCURRENCY = 4;
/** What is kept of one entity: nobody reads more, and an entity cannot fill our database. */
const MAX_TYPE_LENGTH = 200;
const MAX_METADATA_LENGTH = 16_384;
const MAX_TRUST_MARKS_LENGTH = 65_536;

/** Level by level, so that what is nearest is found first where there is too much. */
export async function walkBranch(options: BranchWalkOptions, branch: Branch): Promise<BranchWalk> {
  const walk = new Walk(options, branch);
  let level: readonly EntityIdentifier[] = [branch.branch];
  for (let depth = 0; level.length > 0 && depth <= MAX_LEVELS; depth++) level = await walk.visitAll(level);
  const isWhole = level.length === 0 && !walk.isCut && !walk.hasTrouble;
  return { found: walk.found, gone: isWhole ? 'rest' : walk.refused, hasTrouble: walk.hasTrouble };
}

class Walk {
  readonly found: FoundEntity[] = [];
  readonly refused: string[] = [];
  /** There was more than is looked at. */
  isCut = false;
  hasTrouble = false;
  readonly #options: BranchWalkOptions;
  readonly #branch: Branch;
  readonly #listed = new Set<string>();
  #requests = 0;
  #failures = 0;

  constructor(options: BranchWalkOptions, branch: Branch) {
    this.#options = options;
    this.#branch = branch;
    this.#listed.add(branch.branch);
  }

  /** @returns those who are listed below, none of them seen before */
  async visitAll(level: readonly EntityIdentifier[]): Promise<EntityIdentifier[]> {
    const waiting = [...level];
    const below: EntityIdentifier[] = [];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        below.push(...(await this.#visit(next)));
      }
    };
    // Whoever waits for the walk waits for all of it, also when one part fails.
    const parts = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
    const failed = parts.find((part) => part.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return below;
  }

  async #visit(subject: EntityIdentifier): Promise<EntityIdentifier[]> {
    const resolution = await this.#resolve(subject);
    if (resolution === undefined) return [];
    if (subject !== this.#branch.branch) {
      if (!goesThrough(resolution, this.#branch)) {
        this.refused.push(subject);
        return [];
      }
      this.found.push(foundEntity(resolution));
    }
    const endpoint = resolution.metadata['federation_entity']?.['federation_list_endpoint'];
    return isEndpointUrl(endpoint, this.#options) ? await this.#list(endpoint) : [];
  }

  async #resolve(subject: EntityIdentifier): Promise<Resolution | undefined> {
    const { trustAnchors, signal } = this.#branch;
    if (signal.aborted) this.hasTrouble = true;
    if (this.#failures >= MAX_FAILURES) this.isCut = true;
    if (signal.aborted || this.#failures >= MAX_FAILURES) return undefined;
    const onRequest = () => this.#countRequest();
    const outcome = await this.#options.resolver.resolve({ subject, trustAnchors, signal, onRequest });
    if ('resolved' in outcome) return outcome.resolved;
    this.#failures++;
    if (signal.aborted || outcome.attempts.some(({ retryable }) => retryable)) this.hasTrouble = true;
    else if (outcome.attempts.some(({ reason }) => reason === 'budget_exhausted')) this.isCut = true;
    else this.refused.push(subject);
    return undefined;
  }

  async #list(endpoint: string): Promise<EntityIdentifier[]> {
    const { signal } = this.#branch;
    try {
      this.#countRequest();
      const listed = await this.#options.listSubordinates(endpoint, signal);
      const unseen = listed.filter((one) => !this.#listed.has(one) && !this.#options.isOwn(one));
      const taken = unseen.slice(0, MAX_ENTITIES + 1 - this.#listed.size);
      for (const one of taken) this.#listed.add(one);
      if (taken.length < unseen.length) this.isCut = true;
      return taken;
    } catch (error) {
      if (!(error instanceof FederationError || signal.aborted)) throw error;
      if (error instanceof FederationError && error.reason === 'budget_exhausted') this.isCut = true;
      else this.hasTrouble = true;
      return [];
    }
  }

  /** @throws FederationError budget_exhausted */
  #countRequest(): void {
    this.#requests++;
    if (this.#requests <= MAX_REQUESTS) return;
    throw new FederationError('budget_exhausted', `a walk may send ${MAX_REQUESTS} requests; all were sent`);
  }
}

/** Of several ways up the resolver chose one; below which Intermediate an entity stands is told by that. */
function goesThrough({ trustChain }: Resolution, { branch, superior }: Branch): boolean {
  return trustChain.slice(1).some((jwt) => {
    const { iss, sub } = decodeJwt(jwt).claims;
    return iss === superior && sub === branch;
  });
}

function foundEntity({ subject, metadata, trustChain, expiresAt }: Resolution): FoundEntity {
  const marks = decodeJwt(trustChain[0] ?? '').claims['trust_marks'];
  const trustMarks = Array.isArray(marks) ? marks.filter(isJsonObject) : [];
  const shown = informational(metadata as JsonObject);
  return {
    entityIdentifier: subject,
    entityTypes: Object.keys(metadata)
      .filter((type) => isKept(type, MAX_TYPE_LENGTH))
      .sort()
      .slice(0, MAX_ENTITY_TYPES),
    metadata: isKept(shown, MAX_METADATA_LENGTH) ? shown : {},
    trustMarks: trustMarks.length > 0 && isKept(trustMarks, MAX_TRUST_MARKS_LENGTH) ? trustMarks : null,
    validUntil: new Date(expiresAt * 1000),
  };
}

/** What is longer nobody reads. */
function isKept(value: JsonValue, maxLength: number): boolean {
  return JSON.stringify(value).length <= maxLength && isStorable(value);
}
