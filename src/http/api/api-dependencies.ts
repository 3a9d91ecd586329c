/** What the API needs from whoever composes the program. */
import type { Admission } from '../../admission/admission.ts';
import type { RetrieveConfiguration } from '../../enrolment/configuration-checks.ts';
import type { HostedEnrolmentTools } from '../../enrolment/enrol-hosted.ts';
import type { EnrolmentTools } from '../../enrolment/flow/step-subject.ts';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import type { StateSoftware } from '../../issuance/software-statements.ts';
import type { Actor } from '../../registry/actor.ts';
import type { SignAuditCheckpoint } from '../../registry/audit/audit-checkpoint.ts';
import type { GenerateAuthorityKey } from '../../registry/authorities/authority.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import type { SignedByKey } from '../../registry/authorities/keys/signed-by-key.ts';
import type { ChangeContext } from '../../registry/change.ts';
import type { GenerateHostedKey } from '../../registry/hosting/hosted-entity.ts';
import type { TakeTools } from '../../registry/hosting/take-hosted-key.ts';
import type { SealClientSecret } from '../../registry/token-issuers/token-issuer.ts';
import type { VerifyTrustMark } from '../../registry/trust-marks/hold-trust-mark.ts';
import type { SignDelegation } from '../../registry/trust-marks/trust-mark-delegation.ts';
import type { SendPing } from '../../registry/webhooks/ping-webhook.ts';
import type { SealWebhookSecret } from '../../registry/webhooks/webhook.ts';
import type { Db } from '../../storage/connect.ts';
import type { SignForPoint } from '../admission/signing-room.ts';
import type { Resolutions } from '../federation/resolutions.ts';
import type { PeerCertificate } from '../peer-certificate.ts';
import type { CertificationTools } from './certification-authorities/certification-tools.ts';
import type { EventStreams } from './events/event-streams.ts';
import type { RegistryState } from './events/participant-status.ts';
import type { JobControl } from './jobs/job-control.ts';
import type { TokenEndpoint } from './oauth/token-request.ts';
import type { EnforcementPointTools } from './propagation/enforcement-point-tools.ts';

export interface ApiDependencies {
  db: Db;
  /**
   * The actor that a presented bearer token stands for, on a connection with this client certificate; undefined when it is
   * unknown, expired or revoked.
   * @throws RegistryError token_bound
   */
  authenticate: (secret: string, certificate: PeerCertificate | undefined) => Promise<Actor | undefined>;
  changeContext: (actor: Actor, requestId: string) => ChangeContext;
  retrieveConfiguration: RetrieveConfiguration;
  enrolmentTools: EnrolmentTools;
  generateAuthorityKey: GenerateAuthorityKey;
  generateHostedKey: GenerateHostedKey;
  previewHosted: HostedEnrolmentTools['preview'];
  hostedKeyTools: TakeTools;
  signedByKey: SignedByKey;
  signDelegation: SignDelegation;
  signAuditCheckpoint: SignAuditCheckpoint;
  sealClientSecret: SealClientSecret;
  sealWebhookSecret: SealWebhookSecret;
  sendPing: SendPing;
  verifyTrustMark: VerifyTrustMark;
  /** Asks the issuer of a mark for it. */
  fetchTrustMark: (wanted: { issuer: string; trustMarkType: string; bearer: string }) => Promise<string>;
  /** The authorities as the federation endpoints serve them. */
  directory: AuthorityDirectory;
  resolutions: Pick<Resolutions, 'explain'>;
  identifiers: IdentifierOptions;
  admission: Pick<Admission, 'state' | 'ask' | 'consider'>;
  signAdmissionDecision: SignForPoint;
  stateSoftware: StateSoftware;
  enforcementPoints: EnforcementPointTools;
  /** Where entities get access tokens. */
  tokenEndpoint: TokenEndpoint;
  jobs: JobControl;
  certification: CertificationTools;
  /** What this node answers by. */
  registryState: RegistryState;
  eventStreams: Pick<EventStreams, 'poll' | 'open'>;
  /** Whether the database answers and this node's state is current, and up to which seq. */
  readiness: () => Promise<Readiness>;
}

export interface Readiness {
  ready: boolean;
  seq: number;
}
