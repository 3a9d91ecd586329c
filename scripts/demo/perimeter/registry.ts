/** The registry gets ready: whose certificates are believed, and which role the API asks for. */
import { z } from 'zod';
import { domainSchema, type RoleRecord, roleSchema } from '../../../src/cli/role/role-records.ts';
import { type Deployment, startDeployment } from '../deployment.ts';
import type { Stage } from '../stage.ts';
import { AUTHORITY, PARTNER_CA, ROLE } from './cast.ts';
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts';

export interface Registry extends Deployment {
  role: RoleRecord;
  /** Issues to partners; on the trust list. */
  partnerCa: CertificateAuthority;
  /** Issues to the servers of the story, which everybody who connects to them knows. */
  serverCa: CertificateAuthority;
}

export async function openRegistry(stage: Stage): Promise<Registry> {
  const { narrator } = stage;
  narrator.scene(
    'A registry says whose certificates count',
    'Below a certification authority of the trust list, and registered for an application: one does not do without the other.',
  );
  const [partnerCa, serverCa] = await Promise.all([
    createCertificateAuthority(PARTNER_CA),
    createCertificateAuthority('Example Servers CA'),
  ]);
  const extraCaFile = await stage.write('servers-ca.pem', serverCa.certificate);
  const settings = { name: AUTHORITY.name, listedPurposes: ['transport'] };
  const told = `at ${AUTHORITY.name} only certificates of its list count`;
  const deployment = await startDeployment(stage, settings, told, { HOLDFAST_EXTRA_CA_FILE: extraCaFile });
  await addToTrustList(stage, deployment, partnerCa);
  return { ...deployment, role: await defineRole(stage, deployment), partnerCa, serverCa };
}

async function addToTrustList(
  { narrator }: Stage,
  { api, trustAnchor }: Deployment,
  { certificate }: CertificateAuthority,
): Promise<void> {
  const body = { authorityId: trustAnchor.id, purpose: 'transport', certificate };
  await narrator.step(
    () => api.send({ method: 'POST', path: 'trust-list', body }, z.looseObject({ subject: z.string() })),
    ({ subject }) => `on the trust list: ${subject}`,
    'POST /api/v1/trust-list',
  );
}

async function defineRole({ narrator }: Stage, { api, trustAnchor }: Deployment): Promise<RoleRecord> {
  const { domain, ...role } = ROLE;
  return await narrator.step(
    async () => {
      const domainBody = { authorityId: trustAnchor.id, name: domain };
      const { id } = await api.send({ method: 'POST', path: 'authorisation-domains', body: domainBody }, domainSchema);
      return await api.send({ method: 'POST', path: 'roles', body: { domainId: id, ...role } }, roleSchema);
    },
    ({ name, description }) => `role ${name}: ${description}`,
    'POST /api/v1/roles',
  );
}
