/** Answers who is admitted: at once from what is known in memory; whoever has to be asked about evidence is asked before. */
import type { Clock } from '../federation/time.ts';
import type { KnownEnforcementPoint } from '../registry/participants/known-participants.ts';
import type {
  AdmissionQuestion,
  ChainVerdict,
  EnforcementPlace,
  PresentedCertificate,
  TokenVerdict,
} from './admission-question.ts';
import { type AdmissionDecision, type AdmissionEvidence, decide } from './decide.ts';
import type { KnownState } from './known-state.ts';
import type { ParticipantIndex } from './participant-index.ts';

/** What an enforcement point asks. */
export interface AdmissionRequest {
  certificate: PresentedCertificate;
  token?: string | undefined;
  /** An API resource by its id. */
  api?: string | undefined;
  /** The application by its Entity Identifier, whose Trust Chain then counts as well. */
  entityId?: string | undefined;
  /** An organisation by its id. */
  onBehalfOf?: string | undefined;
  isExplained?: boolean | undefined;
}

export interface AskedAdmission {
  point: KnownEnforcementPoint;
  request: AdmissionRequest;
  decision: AdmissionDecision;
}

export interface AdmissionOptions {
  index: Pick<ParticipantIndex, 'at'>;
  /** Milliseconds since the registry confirmed the state of the index. */
  ageMs: () => number;
  clock: Clock;
  tokens: {
    verify(
      token: string,
      circumstances: { place: EnforcementPlace; apiId: string | null; state: () => KnownState; now: number },
    ): Settled<TokenVerdict>;
  };
  chains: { resolve(authorityId: string, entityIdentifier: string): Settled<ChainVerdict> };
  /** Hears of every answer to an enforcement point; cheap, and never throws. */
  observe?: (asked: AskedAdmission) => void;
  /** Hears of what should not happen; it is denied then. */
  onError: (error: unknown) => void;
}

type Settled<T> = T | Promise<T>;

export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** As of now, with its age. */
  get state(): KnownState {
    const { index, ageMs, clock } = this.#options;
    return index.at(ageMs() / 1000, clock.now());
  }

  /** Synchronous where nobody else has to be asked; it never rejects. */
  ask(point: KnownEnforcementPoint, request: AdmissionRequest): Settled<AdmissionDecision> {
    const answer = this.consider(point, request);
    if (!(answer instanceof Promise)) return this.#observed(point, request, answer);
    return answer.then((decision) => this.#observed(point, request, decision));
  }

  #observed(point: KnownEnforcementPoint, request: AdmissionRequest, decision: AdmissionDecision): AdmissionDecision {
    this.#options.observe?.({ point, request, decision });
    return decision;
  }

  /** What would be answered; nobody hears of it. */
  consider(point: KnownEnforcementPoint, request: AdmissionRequest): Settled<AdmissionDecision> {
    const decision = this.#decide(point, request, {});
    return decision.needed === undefined ? decision : this.#considerAnew(point, request, decision.needed);
  }

  /** What is asked of others takes its time: state, record and clock are read anew after each answer. */
  async #considerAnew(
    point: KnownEnforcementPoint,
    request: AdmissionRequest,
    firstNeeded: keyof AdmissionEvidence,
  ): Promise<AdmissionDecision> {
    const evidence: AdmissionEvidence = {};
    for (let needed: AdmissionDecision['needed'] = firstNeeded; ; ) {
      if (needed === 'token') evidence.token = await this.#verify(point, request);
      else evidence.chain = await this.#resolve(point, request);
      const decision = this.#decide(point, request, evidence);
      if (decision.needed === undefined) return decision;
      needed = decision.needed;
    }
  }

  #decide(
    { id, ...before }: KnownEnforcementPoint,
    { isExplained = false, token, ...request }: AdmissionRequest,
    evidence: AdmissionEvidence,
  ): AdmissionDecision {
    const { state } = this;
    const place: EnforcementPlace = state.enforcementPoint(id) ?? { ...before, state: 'removed' };
    const question: AdmissionQuestion = { ...request, place, isTokenPresented: token !== undefined };
    return decide(question, state, evidence, { now: this.#options.clock.now(), isExplained });
  }

  async #verify(place: KnownEnforcementPoint, { token = '', api }: AdmissionRequest): Promise<TokenVerdict> {
    const { tokens, clock, onError } = this.#options;
    try {
      const apiId = api ?? place.apiId;
      return await tokens.verify(token, { place, apiId, state: () => this.state, now: clock.now() });
    } catch (error) {
      onError(error);
      return { reason: 'token_unverifiable', detail: 'it could not be verified' };
    }
  }

  async #resolve({ authorityId }: KnownEnforcementPoint, { entityId = '' }: AdmissionRequest): Promise<ChainVerdict> {
    const { chains, onError } = this.#options;
    try {
      return await chains.resolve(authorityId, entityId);
    } catch (error) {
      onError(error);
      return { reason: 'trust_chain_unavailable', detail: 'it could not be resolved' };
    }
  }
}
