/** Ends requests for certificates that nobody decided in time, and those of entities that are no more. */
import { and, asc, eq, lte, notInArray, or } from 'drizzle-orm';
import { certificateRequests } from '../../storage/schema/certificate-requests.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import type { ChangeContext } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import { REQUEST_LIFETIME_DAYS } from './certificate-request.ts';
import { closeRequest } from './decide-certificate-request.ts';

/** Requests in one round. */
const BATCH = 100;

const TOO_LATE = `nobody decided within ${REQUEST_LIFETIME_DAYS} days`;
const ENDED = 'its entity is enrolled no more';

/**
 * One round. Nodes that do so at once end each request once between them.
 * @returns how many ended; there may be more
 * @throws RegistryError role_missing
 */
export async function lapseCertificateRequests(context: ChangeContext): Promise<number> {
  const { db, now } = context;
  authorise(context.actor, ['admin'], null);
  const oldest = new Date(now.getTime() - REQUEST_LIFETIME_DAYS * 86_400_000);
  const live = [...LIVE_STATES];
  const over = await db
    .select({ id: certificateRequests.id, createdAt: certificateRequests.createdAt })
    .from(certificateRequests)
    .innerJoin(entities, eq(entities.id, certificateRequests.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        eq(certificateRequests.state, 'pending'),
        or(
          lte(certificateRequests.createdAt, oldest),
          notInArray(entities.state, live),
          notInArray(organisations.state, live),
        ),
      ),
    )
    .orderBy(asc(certificateRequests.id))
    .limit(BATCH);
  let ended = 0;
  for (const { id, createdAt } of over) {
    try {
      const reason = createdAt <= oldest ? TOO_LATE : ENDED;
      await closeRequest(context, id, { verb: 'lapse', state: 'lapsed', reason });
      ended++;
    } catch (error) {
      // Somebody, or another node, decided about it meanwhile.
      if (!(error instanceof RegistryError)) throw error;
    }
  }
  return ended;
}
