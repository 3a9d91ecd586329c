/** All figures, in the order in which they are measured: the quick ones first. A new one is a file and a line here. */
import type { Figure } from './figure.ts';
import { admission, admissionP99, admissionToken } from './figures/admission.ts';
import { approveToServed } from './figures/approve-to-served.ts';
import { certificateIssue } from './figures/certificate-issue.ts';
import { chainValidate } from './figures/chain-validate.ts';
import { crl100k } from './figures/crl-100k.ts';
import { enrolments } from './figures/enrolments.ts';
import { eventDelivery } from './figures/event-delivery.ts';
import { extendedList100 } from './figures/extended-list-100.ts';
import { fetchAt100k } from './figures/fetch-at-100k.ts';
import { fetchSigning } from './figures/fetch-signing.ts';
import { fetchWarm } from './figures/fetch-warm.ts';
import { import10k } from './figures/import-10k.ts';
import { list100k } from './figures/list-100k.ts';
import { markIssue } from './figures/mark-issue.ts';
import { markStatus } from './figures/mark-status.ts';
import { markedList100k } from './figures/marked-list-100k.ts';
import { memory100k } from './figures/memory-100k.ts';
import { ocsp, ocspNonce } from './figures/ocsp.ts';
import { participants10k, participants304 } from './figures/participants.ts';
import { pkcs11Sign } from './figures/pkcs11-sign.ts';
import { policyResolve } from './figures/policy-resolve.ts';
import { resolveCoalesced } from './figures/resolve-coalesced.ts';
import { resolveColdPath } from './figures/resolve-cold-path.ts';
import { resolveFlood } from './figures/resolve-flood.ts';
import { resolveRemote } from './figures/resolve-remote.ts';
import { resolveWarm } from './figures/resolve-warm.ts';
import { resolveWarmSigned } from './figures/resolve-warm-signed.ts';
import { revokeToDeny } from './figures/revoke-to-deny.ts';
import { search100k } from './figures/search-100k.ts';
import { statementCache100k } from './figures/statement-cache-100k.ts';
import { statusSince } from './figures/status-since.ts';
import { suspendToRefused } from './figures/suspend-to-refused.ts';

export const FIGURES: readonly Figure[] = [
  policyResolve,
  chainValidate,
  fetchSigning,
  markIssue,
  certificateIssue,
  pkcs11Sign,
  memory100k,
  fetchWarm,
  list100k,
  markedList100k,
  extendedList100,
  markStatus,
  ocsp,
  ocspNonce,
  enrolments,
  approveToServed,
  suspendToRefused,
  revokeToDeny,
  eventDelivery,
  participants10k,
  participants304,
  search100k,
  statusSince,
  import10k,
  crl100k,
  admission,
  admissionP99,
  admissionToken,
  fetchAt100k,
  resolveRemote,
  resolveColdPath,
  statementCache100k,
  resolveCoalesced,
  resolveWarm,
  resolveWarmSigned,
  resolveFlood,
];
