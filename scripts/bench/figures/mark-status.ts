/** How Trust Marks fare, signed for who asks, over a server that verifies the mark and signs as much. @see OIDFED §8.4 */
import { decodeJwt, decodeProtectedHeader, type JSONWebKeySet, type JWK } from 'jose';
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { MARKED_TYPE } from '../samples/registry-records.ts';
import { type Deployment, deploymentOf100 } from '../service/deployment.ts';
import { bodyOf, exchange, type Target } from '../service/exchange.ts';
import { formOf, type PostedJwt, startFloor } from '../service/floor.ts';

const STATUS_LOAD = { connections: 16, pipelining: 1 } as const;
const STATUS_PATH = ENDPOINT_PATHS.trustMarkStatus;

export const markStatus: Figure = {
  name: 'mark_status',
  summary:
    'status answers a second for Trust Marks, over a bare Hono handler that verifies the mark and signs the same payload',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(deploymentOf100);
    const { port, host, pid } = deployment;
    const marks = await postedMarks(deployment);
    const forms = marks.map(formOf);
    for (const form of forms) await requireActive(deployment, form);
    const [example] = marks;
    await using floor = await startFloor({ port, host }, STATUS_PATH, 'signed', example);
    const load = { host, paths: forms.map(() => STATUS_PATH), forms, ...STATUS_LOAD };
    // Any other status than active is a longer word, and the load accepts answers of one size only.
    return await compareServers(
      bench,
      { port, serverPid: pid, ...load },
      { port: floor.port, serverPid: floor.pid, ...load },
    );
  },
};

/** The mark of each subordinate, with the key that signed it. */
async function postedMarks(deployment: Deployment): Promise<PostedJwt[]> {
  const { jwks } = decodeJwt<{ jwks: JSONWebKeySet }>(bodyOf(await exchange(deployment, ENDPOINT_PATHS.configuration)));
  const marks: PostedJwt[] = [];
  for (const sub of deployment.subjects) {
    const query = new URLSearchParams({ trust_mark_type: MARKED_TYPE.trustMarkType, sub });
    const jwt = bodyOf(await exchange(deployment, `${ENDPOINT_PATHS.trustMark}?${query}`));
    marks.push({ parameter: 'trust_mark', jwt, key: keyOf(jwt, jwks) });
  }
  return marks;
}

function keyOf(jwt: string, { keys }: JSONWebKeySet): JWK {
  const { kid } = decodeProtectedHeader(jwt);
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) throw new Error(`the authority does not publish the key ${kid} of a mark`);
  return key;
}

async function requireActive(target: Target, form: string): Promise<void> {
  const { status } = decodeJwt(bodyOf(await exchange(target, STATUS_PATH, { form })));
  if (status !== 'active') throw new Error(`a mark that was granted is ${status}`);
}
