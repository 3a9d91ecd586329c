/** Applications that ask this service itself and are known by the certificate of their connection. @see RFC 8705 §2 */
import type { Clock, NumericDate } from '../federation/time.ts';
import type { KnownApplication } from '../registry/participants/known-participants.ts';
import type { ShownCertificate } from '../registry/tokens/entity-token.ts';
import type { Admission } from './admission.ts';
import type { EnforcementPlace } from './admission-question.ts';
import { decide } from './decide.ts';
import type { KnownState } from './known-state.ts';

export interface CertificateClientsOptions {
  admission: Pick<Admission, 'state'>;
  freshness: {
    /** Resolves when the registry confirmed what is known; rejects when it does not. */
    ensureCurrent(): Promise<void>;
  };
  clock: Clock;
}

export class CertificateClients {
  readonly #options: CertificateClientsOptions;

  constructor(options: CertificateClientsOptions) {
    this.#options = options;
  }

  /**
   * The records of an entity that are admitted with this certificate: one for each authority that vouches for it so.
   * @throws StaleStateError
   */
  async find(x5tS256: string, entityIdentifier: string): Promise<KnownApplication[]> {
    const { admission, freshness, clock } = this.#options;
    await freshness.ensureCurrent();
    const { state } = admission;
    const isFound = (one: KnownApplication) => isAdmitted(one, x5tS256, state, clock.now());
    return state.applicationsNamed(entityIdentifier).filter(isFound);
  }

  /** For whoever finds out who somebody is. */
  shown(x5tS256: string): ShownCertificate {
    const isOf: ShownCertificate['isOf'] = async ({ id, entityIdentifier }) => {
      const found = await this.find(x5tS256, entityIdentifier);
      return found.some((application) => application.id === id);
    };
    return { x5tS256, isOf };
  }
}

/** More than a state has that was just confirmed. */
const MAX_STALENESS_SECONDS = 5;

/** By the rules that hold at gateways, wherever the application is at home: the service is in no environment. */
function isAdmitted(application: KnownApplication, x5tS256: string, state: KnownState, now: NumericDate): boolean {
  const { authorityId, mode, environment } = application;
  const place: EnforcementPlace = {
    ...{ authorityId, mode, environment, state: 'active', apiId: null },
    ...{ maxStalenessSeconds: MAX_STALENESS_SECONDS, isTokenRequired: false },
  };
  const question = { place, certificate: { x5tS256 }, isTokenPresented: false };
  const { decision, participant } = decide(question, state, {}, { now });
  return decision === 'allow' && participant?.application.id === application.id;
}
