/** `POST /api/v1/admission`, asked before each request to a partner's API, without the framework. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from '../../admission/admission.ts';
import type { Clock } from '../../federation/time.ts';
import type { KnownEnforcementPoint } from '../../registry/participants/known-participants.ts';
import { type LogError, toProblemResponse } from '../error-response.ts';
import { parseJsonBody, requireJson, tooLarge } from '../middleware/json-body.ts';
import { REQUEST_ID_HEADER, requestIdOf } from '../middleware/request-id.ts';
import { DEFAULT_HEADERS } from '../middleware/response-headers.ts';
import { validationFailure } from '../validation-failure.ts';
import { type AdmissionAnswer, type AdmissionAnswering, answerAdmission } from './admission-answer.ts';
import { AdmissionQuerySchema, admissionRequestOf } from './admission-body.ts';
import { keepConnection, requireEnforcementPoint } from './enforcement-point-caller.ts';
import type { AdmissionDoor } from './forward-auth-door.ts';
import { inSteps } from './in-steps.ts';

export interface AdmissionDoorDependencies extends AdmissionAnswering {
  admission: Pick<Admission, 'state' | 'ask'>;
  clock: Clock;
  logError: LogError;
}

export const ADMISSION_PATH = '/api/v1/admission';

/** A certificate and a token, each as long as they are taken, and something to spare. */
const MAX_BODY_BYTES = 80 * 1024;

export function createAdmissionDoor(dependencies: AdmissionDoorDependencies): AdmissionDoor {
  const answer = inSteps(answerAtOnce, sendAtOnce);
  return (incoming, outgoing) => {
    const { method, url } = incoming;
    if (method !== 'POST' || url === undefined || !isAdmission(url)) return false;
    const exchange: Exchange = { incoming, outgoing, ...dependencies };
    try {
      const question = questionOf(exchange);
      readBody(exchange, (bytes) => answer({ exchange, question, bytes }));
    } catch (error) {
      refuse(exchange, error);
    }
    return true;
  };
}

function isAdmission(url: string): boolean {
  return url.startsWith(ADMISSION_PATH) && (url.length === ADMISSION_PATH.length || url[ADMISSION_PATH.length] === '?');
}

interface Exchange extends AdmissionDoorDependencies {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
}

/** Who asks, and how it is to be answered: all that is known before the body. */
interface Question {
  point: KnownEnforcementPoint;
  isExplained: boolean;
  isSigned: boolean;
}

/** @throws RegistryError unauthenticated, validation_failed; HttpProblem unsupported_media_type, payload_too_large */
function questionOf({ incoming, admission, clock }: Exchange): Question {
  const point = requireEnforcementPoint(incoming, admission.state, clock.now());
  keepConnection(incoming);
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = incoming.headers;
  requireJson(type, encoding);
  if (Number(length ?? 0) > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
  const { url = '' } = incoming;
  return { point, ...askedFor(url.slice(ADMISSION_PATH.length + 1)) };
}

/** @throws RegistryError validation_failed */
function askedFor(query: string): Omit<Question, 'point'> {
  if (query === '') return { isExplained: false, isSigned: false };
  const given = new URLSearchParams(query);
  const parameters = [...given.keys()].map((name) => {
    const values = given.getAll(name);
    return [name, values.length === 1 ? values[0] : values];
  });
  const parsed = AdmissionQuerySchema.safeParse(Object.fromEntries(parameters));
  if (!parsed.success) throw validationFailure('query', parsed.error);
  return { isExplained: parsed.data.explain === '1', isSigned: parsed.data.signed === '1' };
}

/** Nobody is heard whose body breaks off. */
function readBody(exchange: Exchange, read: (bytes: Buffer) => void): void {
  const { incoming } = exchange;
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (size - chunk.length <= MAX_BODY_BYTES) refuse(exchange, tooLarge(MAX_BODY_BYTES));
  });
  incoming.on('end', () => {
    const [first] = chunks;
    if (size > MAX_BODY_BYTES) return;
    const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
    read(bytes);
  });
  incoming.on('error', () => {});
}

/** A question that was read to its end. */
interface Asked {
  exchange: Exchange;
  question: Question;
  bytes: Buffer;
}

/** @returns undefined where somebody else has to be asked, or something signed, before; or it was refused */
function answerAtOnce({ exchange, question, bytes }: Asked): AdmissionAnswer | undefined {
  const { point, isExplained, isSigned } = question;
  try {
    const request = admissionRequestOf(parseJsonBody(bytes));
    const answered = answerAdmission(exchange, point, { ...request, isExplained }, isSigned);
    if (!(answered instanceof Promise)) return answered;
    answered.then(
      (later) => send(exchange, later),
      (error: unknown) => refuse(exchange, error),
    );
  } catch (error) {
    refuse(exchange, error);
  }
  return undefined;
}

function sendAtOnce({ exchange }: Asked, answer: AdmissionAnswer | undefined): void {
  if (answer === undefined) return;
  try {
    send(exchange, answer);
  } catch (error) {
    refuse(exchange, error);
  }
}

const USUAL_HEADERS = DEFAULT_HEADERS.flat();

function send({ incoming, outgoing }: Exchange, { contentType, body }: AdmissionAnswer): void {
  const requestId = requestIdOf(incoming.headers[REQUEST_ID_HEADER]);
  const length = String(Buffer.byteLength(body));
  const own = ['content-type', contentType, 'content-length', length, REQUEST_ID_HEADER, requestId];
  outgoing.writeHead(200, own.concat(USUAL_HEADERS));
  outgoing.end(body);
}

/** The rest of a body that is not wanted is not waited for. */
function refuse({ incoming, outgoing, logError }: Exchange, error: unknown): void {
  const requestId = requestIdOf(incoming.headers[REQUEST_ID_HEADER]);
  const response = toProblemResponse(error, requestId, logError);
  const headers = { ...Object.fromEntries(DEFAULT_HEADERS), ...Object.fromEntries(response.headers) };
  const connection = incoming.complete ? {} : { connection: 'close' };
  outgoing.writeHead(response.status, { ...headers, ...connection, [REQUEST_ID_HEADER]: requestId });
  void response.text().then((text) => outgoing.end(text));
}
