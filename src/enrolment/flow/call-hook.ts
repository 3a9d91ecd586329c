/** Asks the hook of an authority about an enrolment: a signed question over HTTPS, and its plain answer. */
import { randomUUID } from 'node:crypto';
import { FederationError } from '../../federation/errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../federation/json.ts';
import { HOOK_QUESTION_SECONDS } from '../../federation/lint/lint-enrolment-hook.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { Clock } from '../../federation/time.ts';
import type { OutboundClient } from '../../outbound/outbound-client.ts';
import { isText, isUndisguised } from '../../registry/plain-text.ts';
import { isStorable } from '../../registry/storable.ts';
import { type CallHook, HOOK_DECISIONS, type HookAnswer } from './steps/hook.ts';

const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_REASON_LENGTH = 2000;

export interface HookTools {
  /** Reaches what the operator allows, and nothing that only participants may name. */
  outbound: Pick<OutboundClient, 'post'>;
  /** Signs with the key of an authority, which becomes `iss`. */
  sign: (authorityId: string, claims: JsonObject) => Promise<string>;
  clock: Clock;
}

/**
 * The question is a JWT of type `enrolment-hook+jwt` with `aud` the URL of the hook; the answer is JSON with a `decision`
 * and, if it likes, a `reason`.
 */
export function createHookCaller({ outbound, sign, clock }: HookTools): CallHook {
  return async (authorityId, { url, timeoutMs, enrolment }) => {
    const iat = clock.now();
    const claims = { aud: url, iat, exp: iat + HOOK_QUESTION_SECONDS, jti: randomUUID(), enrolment };
    const { status, contentType, body } = await outbound.post(url, {
      body: await sign(authorityId, claims),
      contentType: MEDIA_TYPE.enrolmentHook,
      accept: [MEDIA_TYPE.json],
      timeoutMs,
      maxResponseBytes: MAX_ANSWER_BYTES,
    });
    const { host } = new URL(url);
    if (status !== 200) throw new FederationError('http_status_unexpected', `${host} answered with status ${status}`);
    if (contentType !== MEDIA_TYPE.json) {
      throw new FederationError('content_type_unexpected', `${host} did not answer with ${MEDIA_TYPE.json}`);
    }
    return answerOf(body, host);
  };
}

/** @throws FederationError claim_invalid, json_malformed */
function answerOf(body: Uint8Array, host: string): HookAnswer {
  const answer = parseJson(new TextDecoder().decode(body));
  const { decision: said, reason = null } = isJsonObject(answer) ? answer : {};
  const decision = HOOK_DECISIONS.find((one) => one === said);
  if (decision === undefined) {
    throw new FederationError(
      'claim_invalid',
      `${host} answers with a decision: ${HOOK_DECISIONS.join(', ')}`,
      '/decision',
    );
  }
  if (reason !== null && !(typeof reason === 'string' && isFitReason(reason))) {
    throw new FederationError(
      'claim_invalid',
      `the reason of ${host} is no plain text of reasonable length`,
      '/reason',
    );
  }
  return { decision, reason };
}

function isFitReason(reason: string): boolean {
  return reason.length <= MAX_REASON_LENGTH && isStorable(reason) && isText(reason) && isUndisguised(reason);
}
