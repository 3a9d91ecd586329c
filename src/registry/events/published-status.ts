/** What the public is told of members: whoever was ever let in, with the status that counts. */
import type { ParticipantState } from '../../storage/schema/organisations.ts';

export const PUBLISHED_STATUSES = ['active', 'suspended', 'withdrawn', 'revoked'] as const;

export type PublishedStatus = (typeof PUBLISHED_STATUSES)[number];

/**
 * Who was never approved was never published, and is nobody's business, not even as part of a suspended organisation.
 * @param own state of the record itself: from pending only an approval leads to one of these
 */
export function isPublished(own: ParticipantState): own is PublishedStatus {
  return PUBLISHED_STATUSES.some((status) => status === own);
}
