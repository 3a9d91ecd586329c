/** Answers that are made for one request and told once. */
import { createHash } from 'node:crypto';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { NumericDate } from '../../federation/time.ts';
import type { UnsignedAnswer } from '../../issuance/ready-answers.ts';

export function immediateAnswer(value: object, now: NumericDate): UnsignedAnswer {
  const body = new TextEncoder().encode(JSON.stringify(value));
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { body, contentType: MEDIA_TYPE.json, etag, expiresAt: now, refreshAt: now };
}
