/**
 * Notes what was answered: every deny, and of the allows as many as the enforcement point's record says. Equal ones of
 * about a second are one row; who asks with ever new certificates or tokens gets sums, and takes the detail of nobody else's
 * enforcement point. Nothing that was shown is kept, only hashes.
 */
import { hash } from 'node:crypto';
import type { LoggedDecision } from '../registry/decisions/decision-chain.ts';
import { isRecordId } from '../registry/record-id.ts';
import type { PresentedCertificate } from './admission-question.ts';
import type { AdmissionDecision } from './decide.ts';

/** A question and what was answered. */
export interface AskedDecision {
  point: { id: string; authorityId: string; apiId: string | null; allowSample: number };
  request: { certificate: PresentedCertificate; token?: string | undefined; api?: string | undefined };
  decision: Pick<
    AdmissionDecision,
    'decision' | 'reasons' | 'participant' | 'onBehalfOf' | 'seq' | 'evaluatedAt' | 'isTokenJudged'
  >;
}

export interface DecisionLogOptions {
  /** Keeps all of them or none; after an error the same ones come again. */
  save: (logged: readonly LoggedDecision[]) => Promise<void>;
  /** Told of the first of several failures in a row. */
  onError: (error: unknown) => void;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** Different rows that are kept of one second, of one enforcement point and of all; whatever comes then is summed up. */
interface Room {
  perPoint: number;
  inAll: number;
}

/** Of participants. */
const DETAILED: Room = { perPoint: 200, inAll: 1_000 };
/** Of participants, by their reasons alone. */
const SUMMED: Room = { perPoint: 200, inAll: 1_000 };
/** Of certificates that nobody knows: anybody makes as many as he likes. */
const STRANGERS: Room = { perPoint: 20, inAll: 200 };
/** Rows that are saved at a time, so that hashing them holds up no answer. */
const SAVED_AT_ONCE = 250;
/** Rows that wait while the database is away; more are summed up. */
const MAX_WAITING = 10_000;
/** No point has this id. */
const ALL = '';
const X5T_S256 = /^[A-Za-z0-9_-]{43}$/;

type Row = { -readonly [Member in keyof LoggedDecision]: LoggedDecision[Member] };

export class DecisionLog {
  readonly #options: DecisionLogOptions;
  #rows = new Map<string, Row>();
  /** How many of them are in which room, of which point. */
  #taken = new Map<Room, Map<string, number>>();
  /** Of seconds before, in their order. */
  #waiting: Row[] = [];
  /** On their way; nobody knows how far they came after an error. */
  #sent: readonly Row[] = [];
  #flushing: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: DecisionLogOptions) {
    this.#options = options;
  }

  /** Cheap, and throws nothing. */
  note({ point, request, decision: answer }: AskedDecision): void {
    if (answer.decision === 'allow' && !this.#isSampled(point)) return;
    const { participant, onBehalfOf } = answer;
    const { certificate, token, api } = request;
    const isTokenKept = token !== undefined && answer.isTokenJudged;
    const row: Row = {
      authorityId: point.authorityId,
      enforcementPointId: point.id,
      decision: answer.decision,
      reasons: answer.reasons,
      entityId: participant?.application.id ?? null,
      organisationId: participant?.organisation.id ?? null,
      // What callers send may be anything.
      apiId: api === undefined ? point.apiId : isRecordId(api) ? api : null,
      onBehalfOf: onBehalfOf?.id ?? null,
      certificateSha256:
        typeof certificate === 'object' && X5T_S256.test(certificate.x5tS256) ? certificate.x5tS256 : null,
      // Of a token that nobody looked at it would tell nothing.
      tokenSha256: isTokenKept ? hash('sha256', token, 'base64url') : null,
      seq: answer.seq,
      count: 1,
      decidedAt: new Date(answer.evaluatedAt * 1000),
    };
    this.#count(row);
  }

  #isSampled({ allowSample }: AskedDecision['point']): boolean {
    return allowSample === 1 || (allowSample > 1 && this.#options.random() * allowSample < 1);
  }

  #count(row: Row): void {
    if (row.entityId === null) {
      if (this.#addWithin(STRANGERS, row)) return;
    } else if (this.#addWithin(DETAILED, row) || this.#addWithin(SUMMED, ofParticipant(row))) return;
    addTo(this.#rows, ofPoint(row));
  }

  /** Adds it to what says the same, if there is such a row or room for it. */
  #addWithin(room: Room, row: Row): boolean {
    const key = keyOf(row);
    const known = this.#rows.get(key);
    if (known !== undefined) {
      known.count += row.count;
      return true;
    }
    const taken = this.#taken.get(room) ?? new Map<string, number>();
    const { enforcementPointId: point } = row;
    const here = taken.get(point) ?? 0;
    const inAll = taken.get(ALL) ?? 0;
    if (here >= room.perPoint || inAll >= room.inAll) return false;
    this.#taken.set(room, taken.set(point, here + 1).set(ALL, inAll + 1));
    this.#rows.set(key, row);
    return true;
  }

  /** Saves what was noted, and what could not be saved before. Told again while it does so, it does the rest after that. */
  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    for (const row of this.#rows.values()) this.#waiting.push(row);
    this.#rows = new Map();
    this.#taken = new Map();
    if (this.#waiting.length > MAX_WAITING) this.#waiting = summedUp(this.#waiting);
    try {
      while (this.#sent.length > 0 || this.#waiting.length > 0) {
        if (this.#sent.length === 0) this.#sent = this.#waiting.splice(0, SAVED_AT_ONCE);
        await this.#options.save(this.#sent);
        this.#sent = [];
      }
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.onError(error);
      this.#isFailing = true;
    }
  }
}

function keyOf(row: Row): string {
  const { enforcementPointId, decision, entityId, apiId, onBehalfOf, certificateSha256, tokenSha256, seq } = row;
  const who = [entityId, apiId, onBehalfOf, certificateSha256, tokenSha256];
  return [enforcementPointId, decision, row.reasons.join(' '), ...who, seq].join('|');
}

/** Adds it to what says the same, if there is such a row or room for it. */
function addTo(rows: Map<string, Row>, row: Row, room = Number.POSITIVE_INFINITY): boolean {
  const key = keyOf(row);
  const known = rows.get(key);
  if (known !== undefined) known.count += row.count;
  else if (rows.size < room) rows.set(key, row);
  else return false;
  return true;
}

/** What is left where too many differ: whose it was, where, and why. */
function ofParticipant(row: Row): Row {
  return { ...row, apiId: null, onBehalfOf: null, certificateSha256: null, tokenSha256: null };
}

/** Where too many different ones are concerned: how many there were, where, and why. */
function ofPoint(row: Row): Row {
  return { ...ofParticipant(row), entityId: null, organisationId: null };
}

function summedUp(rows: readonly Row[]): Row[] {
  const sums = new Map<string, Row>();
  for (const row of rows) {
    if (!addTo(sums, ofParticipant(row), MAX_WAITING / 2)) addTo(sums, ofPoint(row));
  }
  return [...sums.values()];
}
