/** What can be done with requests for certificates, for tests of roles and audit that look at every verb. */
import { eq } from 'drizzle-orm';
import { ACCESS } from '../../src/registry/access.ts';
import { STAFF_ROLES } from '../../src/registry/actor.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { makeCertificateCode } from '../../src/registry/certification/certificate-codes.ts';
import {
  approveCertificateRequest,
  rejectCertificateRequest,
} from '../../src/registry/certification/decide-certificate-request.ts';
import { lapseCertificateRequests } from '../../src/registry/certification/lapse-certificate-requests.ts';
import {
  listCertificateRequests,
  readCertificateRequest,
  readOutcome,
} from '../../src/registry/certification/read-certificate-requests.ts';
import { requestCertificate } from '../../src/registry/certification/request-certificate.ts';
import { remindOfExpiry } from '../../src/registry/credentials/remind-of-expiry.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { certificateRequests } from '../../src/storage/schema/certificate-requests.ts';
import { credentials } from '../../src/storage/schema/credentials.ts';
import { requestPem } from './certificate-requests.ts';
import { certificationAuthority, certificationContext, issueCertificate } from './certification.ts';
import { credential } from './credentials.ts';
import { actor, NOW_DATE, REASON, type TestRegistry } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

/** Members are looked at in a test of their own. */
const staff = (operation: keyof typeof ACCESS): readonly Role[] =>
  STAFF_ROLES.filter((role) => ACCESS[operation].roles.includes(role));

/** Of an active entity, below a certification authority that alone is asked. */
async function applicant(registry: TestRegistry, authority: Authority) {
  const { id: certificationAuthorityId } = await certificationAuthority(registry, authority);
  const { id } = await registry.entity(await registry.organisation(authority));
  return { id, wanted: { profile: 'client', certificationAuthorityId } as const };
}

/** The id of a request that somebody asked who decides nothing. */
async function waiting(registry: TestRegistry, authority: Authority): Promise<string> {
  const { id, wanted } = await applicant(registry, authority);
  const context = certificationContext(registry, actor({ id: 'asker' }));
  return (await requestCertificate(context, id, { ...wanted, request: requestPem() })).request.id;
}

export const CERTIFICATE_VERBS: Verb[] = [
  {
    ...{ name: 'readCertificateRequest', roles: staff('readCertificateRequest'), scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      const id = await waiting(registry, authority);
      return ({ db, actor }) => readCertificateRequest(db, actor, id);
    },
  },
  {
    ...{ name: 'readOutcome', roles: staff('readCertificateRequest'), scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      const id = await waiting(registry, authority);
      return ({ db, actor }) => readOutcome(db, actor, id);
    },
  },
  {
    ...{ name: 'listCertificateRequests', roles: staff('listCertificateRequests'), scope: 'authority', audit: [] },
    prepare: async (registry, authority) => {
      await waiting(registry, authority);
      return ({ db, actor }) => listCertificateRequests(db, actor, { authorityId: authority.id }, { limit: 10 });
    },
  },
  {
    ...{ name: 'requestCertificate', roles: staff('requestCertificate'), scope: 'authority' },
    audit: ['certificate_request.submit'],
    prepare: async (registry, authority) => {
      const { id, wanted } = await applicant(registry, authority);
      const request = requestPem();
      return (context) => requestCertificate({ ...context, issueCertificate }, id, { ...wanted, request });
    },
  },
  {
    ...{ name: 'makeCertificateCode', roles: staff('makeCertificateCode'), scope: 'authority' },
    audit: ['certificate_code.make'],
    prepare: async (registry, authority) => {
      const { id, wanted } = await applicant(registry, authority);
      return (context) => makeCertificateCode(context, id, wanted);
    },
  },
  {
    ...{ name: 'approveCertificateRequest', roles: staff('approveCertificateRequest'), scope: 'authority' },
    audit: ['credential.issue', 'certificate_request.approve'],
    prepare: async (registry, authority) => {
      const id = await waiting(registry, authority);
      return (context) => approveCertificateRequest({ ...context, issueCertificate }, id, REASON);
    },
  },
  {
    ...{ name: 'rejectCertificateRequest', roles: staff('rejectCertificateRequest'), scope: 'authority' },
    audit: ['certificate_request.reject'],
    prepare: async (registry, authority) => {
      const id = await waiting(registry, authority);
      return (context) => rejectCertificateRequest(context, id, REASON);
    },
  },
  {
    ...{
      name: 'lapseCertificateRequests',
      roles: ['admin'],
      scope: 'deployment',
      audit: ['certificate_request.lapse'],
    },
    prepare: async (registry, authority) => {
      const id = await waiting(registry, authority);
      const createdAt = new Date(NOW_DATE.getTime() - 1000 * 86_400_000);
      await registry.db.update(certificateRequests).set({ createdAt }).where(eq(certificateRequests.id, id));
      return (context) => lapseCertificateRequests(context);
    },
  },
  {
    ...{ name: 'remindOfExpiry', roles: ['admin'], scope: 'deployment', audit: ['credential.remind'] },
    prepare: async (registry, authority) => {
      const { id } = await credential(registry, authority);
      const notAfter = new Date(NOW_DATE.getTime() + 7 * 86_400_000);
      await registry.db.update(credentials).set({ notAfter }).where(eq(credentials.id, id));
      return (context) => remindOfExpiry(context);
    },
  },
];
