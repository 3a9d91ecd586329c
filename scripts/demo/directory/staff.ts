/** The federation gets ready: people with tokens of their own, a flow that nobody walks around, a role with its policy. */
import { type ApiClient, createApiClient } from '../../../src/cli/api-client.ts';
import { newTokenSchema } from '../../../src/cli/api-records.ts';
import { domainSchema, type RoleRecord, roleSchema } from '../../../src/cli/role/role-records.ts';
import { type Deployment, startDeployment } from '../deployment.ts';
import type { Stage } from '../stage.ts';
import { AUTHORITY, FLOW, ROLE, STAFF } from './cast.ts';

/** Whoever decides here, each as far as a token goes. */
export interface Staff {
  registrar: ApiClient;
  approvers: readonly [ApiClient, ApiClient];
}

/** What the later scenes have. */
export interface Directory extends Deployment, Staff {
  role: RoleRecord;
}

export async function openDirectory(stage: Stage): Promise<Directory> {
  const { narrator } = stage;
  narrator.scene(
    'A federation says what it asks for',
    'Every enrolment goes through the same steps, and nobody approves what he submitted himself.',
  );
  const steps = FLOW.map(({ step }) => step).join(' → ');
  const settings = { name: AUTHORITY.name, enrolmentFlow: FLOW };
  const deployment = await startDeployment(stage, settings, `${AUTHORITY.name} has a flow of ${FLOW.length} steps`);
  narrator.tell(steps);
  const [registrar, ...approvers] = await narrator.step(
    () => Promise.all(STAFF.map(({ name, roles }) => clientOf(deployment, { name, roles }))),
    () => STAFF.map(({ name }) => name).join(', '),
    'POST /api/v1/tokens',
  );
  const [first, second] = approvers;
  if (registrar === undefined || first === undefined || second === undefined) throw new TypeError('the staff is short');
  return { ...deployment, registrar, approvers: [first, second], role: await defineRole(stage, deployment) };
}

/** Somebody with a token of his own. */
export async function clientOf({ api }: Pick<Deployment, 'api'>, token: object): Promise<ApiClient> {
  const { secret } = await api.send({ method: 'POST', path: 'tokens', body: token }, newTokenSchema);
  return createApiClient({ serviceUrl: api.serviceUrl, token: secret });
}

async function defineRole({ narrator }: Stage, { api, trustAnchor }: Deployment): Promise<RoleRecord> {
  const { domain, name, description, scopes, policy, approvals } = ROLE;
  return await narrator.step(
    async () => {
      const domainBody = { authorityId: trustAnchor.id, name: domain };
      const { id } = await api.send({ method: 'POST', path: 'authorisation-domains', body: domainBody }, domainSchema);
      const body = { domainId: id, name, description, scopes, metadataPolicy: policy, approvals };
      const request = { ...body, entityType: 'openid_relying_party', grantTypes: ['authorization_code'] };
      return await api.send({ method: 'POST', path: 'roles', body: request }, roleSchema);
    },
    (role) => `role ${role.name} of "${role.domain}": a policy, ${role.approvals} approvals`,
    'POST /api/v1/roles',
  );
}
