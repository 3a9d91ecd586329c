/** Answers who is admitted: at once from what is known in memory; whoever has to be asked about evidence is asked before. */
import { hash } from 'node:crypto';
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
      circumstances: {
        place: EnforcementPlace;
        apiId: string | null;
        /** Whose certificate came along. */
        applicationId: string;
        state: () => KnownState;
        now: number;
      },
    ): Settled<TokenVerdict>;
  };
  chains: { resolve(point: { id: string; authorityId: string }, entityIdentifier: string): Settled<ChainVerdict> };
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
    return decision.needed === undefined ? decision : this.#considerAnew(point, request, decision);
  }

  /** What is asked of others takes its time: state, record and clock are read anew after each answer. */
  async #considerAnew(
    point: KnownEnforcementPoint,
    request: AdmissionRequest,
    first: AdmissionDecision,
  ): Promise<AdmissionDecision> {
    const evidence: AdmissionEvidence = {};
    let decision = first;
    while (decision.needed !== undefined) {
      if (decision.needed === 'token') evidence.token = await this.#verify(point, request, decision);
      else evidence.chain = await this.#resolve(point, request);
      // Its issuer may have been taken off the list while the chain was resolved: then it is asked about again.
      if (!isStillBelieved(evidence.token)) delete evidence.token;
      decision = this.#decide(point, request, evidence);
    }
    return decision;
  }

  #decide(
    point: KnownEnforcementPoint,
    { certificate, token, api, entityId, onBehalfOf, isExplained = false }: AdmissionRequest,
    evidence: AdmissionEvidence,
  ): AdmissionDecision {
    const { index, ageMs, clock } = this.#options;
    const now = clock.now();
    const state = index.at(ageMs() / 1000, now);
    const place: EnforcementPlace = state.enforcementPoint(point.id) ?? { ...point, state: 'removed' };
    const isTokenPresented = token !== undefined;
    const tokenSha256 = isExplained && isTokenPresented ? hash('sha256', token, 'base64url') : undefined;
    const question: AdmissionQuestion = {
      place,
      certificate,
      isTokenPresented,
      tokenSha256,
      api,
      entityId,
      onBehalfOf,
    };
    return decide(question, state, evidence, { now, isExplained });
  }

  async #verify(
    place: KnownEnforcementPoint,
    { token = '', api }: AdmissionRequest,
    { participant }: AdmissionDecision,
  ): Promise<TokenVerdict> {
    const { tokens, clock, onError } = this.#options;
    try {
      const [apiId, applicationId] = [api ?? place.apiId, participant?.application.id ?? ''];
      return await tokens.verify(token, { place, apiId, applicationId, state: () => this.state, now: clock.now() });
    } catch (error) {
      onError(error);
      return { reason: 'token_unverifiable', detail: 'it could not be verified' };
    }
  }

  async #resolve(point: KnownEnforcementPoint, { entityId = '' }: AdmissionRequest): Promise<ChainVerdict> {
    const { chains, onError } = this.#options;
    try {
      return await chains.resolve(point, entityId);
    } catch (error) {
      onError(error);
      return { reason: 'trust_chain_unavailable', detail: 'it could not be resolved' };
    }
  }
}

function isStillBelieved(verdict: TokenVerdict | undefined): boolean {
  return verdict === undefined || 'reason' in verdict || verdict.isStillBelieved?.() !== false;
}
