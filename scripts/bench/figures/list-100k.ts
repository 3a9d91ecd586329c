/** The list of all subordinates, over what the HTTP server itself can do with as many bytes. @see OIDFED §8.2 */
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { deploymentOf100k } from '../service/deployment.ts';
import { startFloor } from '../service/floor.ts';

const LIST_LOAD = { connections: 4, pipelining: 1 } as const;

export const list100k: Figure = {
  name: 'list_100k',
  summary: 'whole lists of 100,000 subordinates a second, over a bare Hono handler that sends the same buffer',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const { port, host, pid } = await bench.shared(deploymentOf100k);
    const paths = [ENDPOINT_PATHS.list];
    await using floor = await startFloor({ port, host }, ENDPOINT_PATHS.list, 'bytes');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, ...LIST_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths, ...LIST_LOAD },
    );
  },
};
