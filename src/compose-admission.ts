/** The wiring of admission: what it knows of the registry, and whom it asks about tokens and Trust Chains. */
import { Admission, type AdmissionOptions } from './admission/admission.ts';
import type { ChainVerdict } from './admission/admission-question.ts';
import type { IssuerRequests } from './admission/issuer-requests.ts';
import { ParticipantIndex } from './admission/participant-index.ts';
import { TokenVerifier } from './admission/token-verifier.ts';
import { FederationError } from './federation/errors.ts';
import type { EntityIdentifier } from './federation/identifiers.ts';
import type { Clock } from './federation/time.ts';
import type { Resolutions } from './http/federation/resolutions.ts';
import { servedTrustAnchors } from './http/federation/served-trust-anchors.ts';
import { isOutage } from './http/outage.ts';
import type { Log } from './observability/log.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { KnownTokenIssuer } from './registry/participants/known-participants.ts';
import { ParticipantRecords } from './registry/participants/participant-records.ts';
import type { ResolveOutcome } from './resolver/resolution.ts';
import { verdictOf } from './resolver/verdict.ts';
import { openClientSecret } from './signer/client-secrets.ts';
import type { MasterKey } from './signer/sealing.ts';
import type { Database } from './storage/connect.ts';

/** Of the feed's own connection, so that it never waits behind requests. */
export function participantIndex({ feedDb }: Database): ParticipantIndex {
  return new ParticipantIndex(new ParticipantRecords(feedDb));
}

export interface AdmissionParts {
  index: ParticipantIndex;
  /** Milliseconds since the registry confirmed what the index knows. */
  ageMs: () => number;
  clock: Clock;
  log: Log;
  directory: AuthorityDirectory;
  resolutions: Resolutions;
  /** To authorization servers, with connections of their own. */
  requests: IssuerRequests;
  masterKey: MasterKey;
  observe: NonNullable<AdmissionOptions['observe']>;
}

export function composeAdmission({
  index,
  ageMs,
  clock,
  log,
  directory,
  resolutions,
  requests,
  masterKey,
  observe,
}: AdmissionParts): Admission {
  return new Admission({
    index,
    ageMs,
    clock,
    tokens: new TokenVerifier({
      requests,
      secretOf: (issuer) => secretOf(issuer, masterKey),
      monotonicMs: () => performance.now(),
    }),
    chains: chainsFrom({ directory, resolutions }),
    observe,
    onError: (error) => log.requestFailed(error, 'admission'),
  });
}

/** @throws UnsealError */
function secretOf({ id, introspection, sealedSecret }: KnownTokenIssuer, masterKey: MasterKey): string | undefined {
  if (introspection === null || sealedSecret === null) return undefined;
  return openClientSecret(masterKey, sealedSecret, { issuerId: id, introspection });
}

/** Trust Chains of active participants, towards the Trust Anchors that their authority resolves towards. */
function chainsFrom({
  directory,
  resolutions,
}: Pick<AdmissionParts, 'directory' | 'resolutions'>): AdmissionOptions['chains'] {
  const resolve: AdmissionOptions['chains']['resolve'] = async ({ id, authorityId }, entityIdentifier) => {
    const served = directory.get(authorityId);
    if (served === undefined) return unavailable('its authority is not known here yet');
    const subject = entityIdentifier as EntityIdentifier;
    const request = { scope: authorityId, subject, trustAnchors: servedTrustAnchors(served, directory) };
    try {
      // Room of their own: participants whose superiors answer late hold up nobody but each other, and a point that asks
      // about ever new ones only itself.
      return verdictOn(
        await resolutions.resolve(request, {
          account: { kind: 'anybody', subject, isVouchedFor: true },
          slot: { kind: 'admission', caller: `enforcement point ${id}` },
        }),
      );
    } catch (error) {
      if (error instanceof FederationError || isOutage(error)) return unavailable('too much is resolved at the moment');
      throw error;
    }
  };
  return { resolve };
}

function verdictOn(outcome: ResolveOutcome): ChainVerdict {
  if ('resolved' in outcome) {
    const { trustAnchor, trustMarks, expiresAt } = outcome.resolved;
    return { trustAnchor, trustMarkTypes: [...new Set(trustMarks.map((mark) => mark.trust_mark_type))], expiresAt };
  }
  const why = outcome.attempts.map(({ reason }) => reason).join(', ');
  if (verdictOf(outcome.attempts) === 'temporarily_unavailable') return unavailable(why);
  return { reason: 'trust_chain_invalid', detail: `no valid chain: ${why}` };
}

function unavailable(detail: string): ChainVerdict {
  return { reason: 'trust_chain_unavailable', detail };
}
