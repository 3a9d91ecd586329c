/** The registry gets ready: whose certificates are believed, and which role the API asks for. */
import { domainSchema, type RoleRecord, roleSchema } from '../../../src/cli/role/role-records.ts';
import { type Deployment, startDeployment } from '../deployment.ts';
import { freePorts, type Stage } from '../stage.ts';
import { AUTHORITY, ROLE } from './cast.ts';
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts';
import { type Certification, foundCertification } from './certification.ts';

export interface Registry extends Deployment {
  role: RoleRecord;
  /** Issues to partners. */
  certification: Certification;
  /** Where their machines ask for certificates. */
  est: string;
  /** Issues to the servers of the story, which everybody who connects to them knows. */
  serverCa: CertificateAuthority;
}

export async function openRegistry(stage: Stage): Promise<Registry> {
  const { narrator } = stage;
  narrator.scene(
    'A registry that issues the certificates itself',
    'One counts below a certification authority of the trust list, and registered for an application: here both are one step.',
  );
  const serverCa = await createCertificateAuthority('Example Servers CA');
  const extraCaFile = await stage.write('servers-ca.pem', serverCa.certificate);
  const settings = { name: AUTHORITY.name, listedPurposes: ['transport'] };
  const told = `at ${AUTHORITY.name} only certificates of its list count`;
  const { certificate, key } = await serverCa.issueToServer();
  const [port = 0] = await freePorts(1);
  const deployment = await startDeployment(stage, settings, told, {
    HOLDFAST_EXTRA_CA_FILE: extraCaFile,
    HOLDFAST_MTLS_PORT: String(port),
    HOLDFAST_MTLS_CERT_FILE: await stage.write('service.pem', certificate),
    HOLDFAST_MTLS_KEY_FILE: await stage.write('service.key', key),
  });
  const certification = await foundCertification(stage, deployment);
  const est = `https://localhost:${port}/.well-known/est`;
  return { ...deployment, role: await defineRole(stage, deployment), certification, est, serverCa };
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
