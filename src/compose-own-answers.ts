/** What our own authorities say, for whoever asks within the service. */
import { FederationError } from './federation/errors.ts';
import { TooManyLoads } from './issuance/following-cache.ts';
import type { ReadyAnswer, ReadyAnswers } from './issuance/ready-answers.ts';
import type { TrustMarkStatuses } from './issuance/trust-marks/trust-mark-status.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { OwnAuthorities } from './resolver/statement-source.ts';
import type { OwnTrustMarkStatus } from './resolver/trust-mark-status.ts';

/** What our own authorities say, from the caches that follow the registry. */
export function ownAuthoritiesOf(directory: AuthorityDirectory, answers: ReadyAnswers): OwnAuthorities {
  return {
    async entityConfiguration(entity) {
      const served = directory.find(entity);
      return served && textOf(await answers.entityConfiguration(served));
    },
    async subordinateStatement(authority, subject) {
      const served = directory.find(authority);
      const answer = served && (await answers.subordinateStatement(served, subject));
      return answer === undefined ? null : textOf(answer);
    },
  };
}

/** What our own authorities say about their Trust Marks; too many questions at a time are refused. */
export function ownTrustMarkStatus(directory: AuthorityDirectory, statuses: TrustMarkStatuses): OwnTrustMarkStatus {
  return async (issuer, trustMarkJwt) => {
    const served = directory.find(issuer);
    try {
      return served && (await statuses.status(served, trustMarkJwt));
    } catch (error) {
      if (!(error instanceof TooManyLoads)) throw error;
      throw new FederationError('server_unavailable', 'too many Trust Marks are looked up; try again later');
    }
  };
}

/** The JWT of an answer that is kept as bytes or as text. */
export function textOf({ body }: ReadyAnswer): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}
