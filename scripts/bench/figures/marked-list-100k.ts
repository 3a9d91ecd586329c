/** The list of all who bear a Trust Mark, over what the HTTP server itself can do with as many bytes. @see OIDFED §8.5 */
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { MARKED_TYPE } from '../samples/registry-records.ts';
import { type Deployment, deploymentOf100k } from '../service/deployment.ts';
import { bodyOf, exchange } from '../service/exchange.ts';
import { startFloor } from '../service/floor.ts';

const LIST_LOAD = { connections: 4, pipelining: 1 } as const;
const LIST_PATH = `${ENDPOINT_PATHS.trustMarkList}?${new URLSearchParams({ trust_mark_type: MARKED_TYPE.trustMarkType })}`;

export const markedList100k: Figure = {
  name: 'marked_list_100k',
  summary:
    'whole lists of 100,000 holders of a Trust Mark a second, over a bare Hono handler that sends the same buffer',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(deploymentOf100k);
    await requireEveryHolder(deployment);
    const { port, host, pid } = deployment;
    const paths = [LIST_PATH];
    await using floor = await startFloor({ port, host }, LIST_PATH, 'bytes');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, ...LIST_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths, ...LIST_LOAD },
    );
  },
};

async function requireEveryHolder(deployment: Deployment): Promise<void> {
  const holders: string[] = JSON.parse(bodyOf(await exchange(deployment, LIST_PATH)));
  if (JSON.stringify(holders.toSorted()) === JSON.stringify(deployment.subjects)) return;
  throw new Error(`the list has ${holders.length} holders, or not those to whom the mark was granted`);
}
