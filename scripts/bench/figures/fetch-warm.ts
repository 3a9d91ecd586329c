/** Statements served from memory, over what the HTTP server itself can do. @see OIDFED §8.1 */
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { FETCH_LOAD } from '../load/fetch-load.ts';
import { deploymentOf100k } from '../service/deployment.ts';
import { startFloor } from '../service/floor.ts';

export const fetchWarm: Figure = {
  name: 'fetch_warm',
  summary: 'fetch requests a second for random subjects of 100,000 with statements ready, over a bare Hono handler',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const { port, host, pid, fetchPaths: paths, subjects } = await bench.shared(deploymentOf100k);
    await using floor = await startFloor({ port, host }, paths[0] ?? '', 'text');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, subjects, ...FETCH_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths, ...FETCH_LOAD },
    );
  },
};
