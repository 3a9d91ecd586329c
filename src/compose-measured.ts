/** What is measured of parts that know nothing of it: signatures, requests to others, the two doors before the framework. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AskedAdmission } from './admission/admission.ts';
import { FederationError } from './federation/errors.ts';
import type { AnsweredRequest, ObserveRequest } from './http/answered-request.ts';
import type { PlainDoor } from './http/federation/plain-door.ts';
import type { Log } from './observability/log.ts';
import { Tallies } from './observability/tallies.ts';
import { NO_TRACING, type Tracing } from './observability/tracing.ts';
import type { OutboundClient } from './outbound/outbound-client.ts';
import type { ResolveOutcome } from './resolver/resolution.ts';
import type { Resolver } from './resolver/resolver.ts';
import { verdictOf } from './resolver/verdict.ts';
import type { Signer } from './signer/signer.ts';
import type { Db } from './storage/connect.ts';

/** What measures; without traces unless somebody collects them. */
export interface Instruments {
  tallies: Tallies;
  tracing: Tracing;
}

export function createInstruments(tracing: Tracing = NO_TRACING): Instruments {
  return { tallies: new Tallies(), tracing };
}

/** Kinds by the `typ` of what is signed. */
export function measuredSigner(signer: Signer, { tallies: { signatures } }: Instruments): Signer {
  return {
    ...signer,
    async sign(key, statement) {
      const begunAt = performance.now();
      const signed = await signer.sign(key, statement);
      signatures.at(statement.typ.replace('+jwt', '')).note(performance.now() - begunAt);
      return signed;
    },
  };
}

type Send = <T extends { status: number }>(method: string, send: () => Promise<T>) => Promise<T>;

/** Outcomes by the class of the status or, where there was none, the reason; whom we asked is in no metric and no span. */
export function measuredSend(purpose: string, { tallies: { outbound }, tracing }: Instruments): Send {
  return (method, send) =>
    tracing.span(`${method} ${purpose}`, { 'holdfast.purpose': purpose }, async () => {
      const begunAt = performance.now();
      const note = (outcome: string) => outbound.at(purpose, outcome).note(performance.now() - begunAt);
      try {
        const response = await send();
        note(`${Math.trunc(response.status / 100)}xx`);
        tracing.tell(undefined, { 'http.response.status_code': response.status });
        return response;
      } catch (error) {
        note(error instanceof FederationError ? error.reason : 'ended');
        throw error;
      }
    });
}

export function measuredClient(client: OutboundClient, purpose: string, instruments: Instruments): OutboundClient {
  const measured = measuredSend(purpose, instruments);
  return {
    get: (url, options) => measured('GET', () => client.get(url, options)),
    post: (url, options) => measured('POST', () => client.post(url, options)),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Verdicts are those that a resolve endpoint answers with; an evaluation that was broken off has none. */
export function measuredResolver(resolver: Resolver, { tallies: { resolutions }, tracing }: Instruments): Resolver {
  return {
    ...resolver,
    resolve: (request) =>
      tracing.span('resolution', {}, async () => {
        const begunAt = performance.now();
        let verdict = 'ended';
        try {
          const outcome = await resolver.resolve(request);
          verdict = verdictOn(outcome);
          return outcome;
        } finally {
          resolutions.at(verdict).note(performance.now() - begunAt);
          tracing.tell(undefined, { 'holdfast.verdict': verdict });
        }
      }),
  };
}

function verdictOn(outcome: ResolveOutcome): string {
  return 'resolved' in outcome ? 'resolved' : verdictOf(outcome.attempts);
}

/** Changes are transactions of it. */
export function tracedDb(db: Db, { tracing }: Instruments): Db {
  if (tracing === NO_TRACING) return db;
  const traced: Db = Object.create(db);
  traced.transaction = (run, config) => tracing.span('change', {}, () => db.transaction(run, config));
  return traced;
}

/** What becomes of a request that was answered: numbers, a line of the log, what its span says. */
export function requestObserver({ tallies: { requests }, tracing }: Instruments, log: Log): ObserveRequest {
  return (answered) => {
    const { door, route, method, status, isFault, durationMs } = answered;
    requests.at(door, route, method).note(status, durationMs, isFault);
    if (tracing !== NO_TRACING) tracing.tell(...spanOf(answered));
    log.requestAnswered(answered);
  };
}

function spanOf({ door, route, method, status }: AnsweredRequest) {
  const attributes = {
    'holdfast.door': door,
    'http.route': route,
    'http.request.method': method,
    'http.response.status_code': status,
  };
  return [`${method} ${route}`, attributes] as const;
}

/** Its counters are found once: it answers tens of thousands a second. */
export function measuredPlainDoor(plain: PlainDoor, { tallies, tracing }: Instruments, log: Log): PlainDoor {
  const counters = new Map<string, ReturnType<typeof tallies.requests.at>>();
  const isQuiet = tracing === NO_TRACING && !log.tellsRequests;
  return (incoming, outgoing) => {
    const begunAt = performance.now();
    const endpoint = plain(incoming, outgoing);
    if (endpoint === undefined) return undefined;
    let counter = counters.get(endpoint);
    if (counter === undefined) {
      counter = tallies.requests.at('plain', endpoint, 'GET');
      counters.set(endpoint, counter);
    }
    const durationMs = performance.now() - begunAt;
    counter.note(200, durationMs);
    if (isQuiet) return endpoint;
    const answered: AnsweredRequest = { door: 'plain', route: endpoint, method: 'GET', status: 200, durationMs };
    const [name, attributes] = spanOf(answered);
    tracing.answered(name, attributes, durationMs);
    log.requestAnswered(answered);
    return endpoint;
  };
}

/** Before the framework: whether it answered, and if so later. */
type EarlyDoor = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** @param place of all that the door answers */
export function measuredEarlyDoor(
  early: EarlyDoor,
  place: Pick<AnsweredRequest, 'door' | 'route'>,
  { tallies, tracing }: Instruments,
  log: Log,
): EarlyDoor {
  const counter = tallies.requests.at(place.door, place.route, 'ANY');
  const isQuiet = tracing === NO_TRACING && !log.tellsRequests;
  return (incoming, outgoing) => {
    const begunAt = performance.now();
    if (!early(incoming, outgoing)) return false;
    outgoing.on('finish', () => {
      const durationMs = performance.now() - begunAt;
      const { statusCode: status } = outgoing;
      counter.note(status, durationMs);
      if (isQuiet) return;
      const answered: AnsweredRequest = { ...place, method: 'ANY', status, durationMs };
      const [name, attributes] = spanOf(answered);
      tracing.answered(name, attributes, durationMs);
      log.requestAnswered(answered);
    });
    return true;
  };
}

/** Denials by their first reason, so that the counts add up to the decisions. */
export function admissionCounter({ tallies: { admissions } }: Instruments): (asked: AskedAdmission) => void {
  const allowed = admissions.at('allow', '');
  const denied = new Map<string, typeof allowed>();
  return ({ decision: { decision, reasons } }) => {
    if (decision === 'allow') {
      allowed.value++;
      return;
    }
    const [reason = ''] = reasons;
    let count = denied.get(reason);
    if (count === undefined) {
      count = admissions.at('deny', reason);
      denied.set(reason, count);
    }
    count.value++;
  };
}
