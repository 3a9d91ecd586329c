/** How much is being signed for one asker at a time: the key is its authority's, and signs statements too. */
import type { JsonObject } from '../../federation/json.ts';
import type { SignAdmissionDecision } from '../../issuance/admission-decision-signer.ts';
import { HttpProblem } from '../problem.ts';

/** @throws HttpProblem too_many_requests, and what `SignAdmissionDecision` throws */
export type SignForPoint = (point: { id: string; authorityId: string }, claims: JsonObject) => Promise<string>;

const MAX_PER_ASKER = 8;

export function signForPoints(sign: SignAdmissionDecision): SignForPoint {
  const inTurn = signingRoom('this enforcement point');
  return ({ id, authorityId }, claims) => inTurn(id, () => sign(authorityId, claims));
}

/**
 * Lets in so many at a time of each asker.
 * @param asker in words
 * @returns does the work, or throws HttpProblem too_many_requests
 */
export function signingRoom(asker: string): <T>(id: string, work: () => Promise<T>) => Promise<T> {
  const underWay = new Map<string, number>();
  return async (id, work) => {
    const taken = underWay.get(id) ?? 0;
    if (taken >= MAX_PER_ASKER) {
      const detail = `${MAX_PER_ASKER} answers are being signed for ${asker}; ask for fewer at a time`;
      throw new HttpProblem('too_many_requests', detail, { 'retry-after': '1' });
    }
    underWay.set(id, taken + 1);
    try {
      return await work();
    } finally {
      const left = (underWay.get(id) ?? 1) - 1;
      if (left === 0) underWay.delete(id);
      else underWay.set(id, left);
    }
  };
}
