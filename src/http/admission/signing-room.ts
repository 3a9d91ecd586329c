/** How many decisions are being signed for one enforcement point at a time: the key is its authority's, and signs statements too. */
import type { JsonObject } from '../../federation/json.ts';
import type { SignAdmissionDecision } from '../../issuance/admission-decision-signer.ts';
import { HttpProblem } from '../problem.ts';

/** @throws HttpProblem too_many_requests, and what `SignAdmissionDecision` throws */
export type SignForPoint = (point: { id: string; authorityId: string }, claims: JsonObject) => Promise<string>;

const MAX_PER_POINT = 8;

export function signForPoints(sign: SignAdmissionDecision): SignForPoint {
  const underWay = new Map<string, number>();
  return async ({ id, authorityId }, claims) => {
    const taken = underWay.get(id) ?? 0;
    if (taken >= MAX_PER_POINT) {
      const detail = `${MAX_PER_POINT} decisions are being signed for this enforcement point; ask for fewer at a time`;
      throw new HttpProblem('too_many_requests', detail, { 'retry-after': '1' });
    }
    underWay.set(id, taken + 1);
    try {
      return await sign(authorityId, claims);
    } finally {
      const left = (underWay.get(id) ?? 1) - 1;
      if (left === 0) underWay.delete(id);
      else underWay.set(id, left);
    }
  };
}
