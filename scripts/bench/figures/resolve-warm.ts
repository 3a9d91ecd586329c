/** Resolutions answered from memory, over what the HTTP server itself can do. @see OIDFED §8.3 */
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { FETCH_LOAD } from '../load/fetch-load.ts';
import { startFloor } from '../service/floor.ts';
import { startResolveDeployment } from '../service/resolve-deployment.ts';

const SUBJECTS = 1_000;

export const resolveWarm: Figure = {
  name: 'resolve_warm',
  summary:
    'resolve requests a second for random subjects that were evaluated and signed before, over a bare Hono handler',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    await using deployment = await startResolveDeployment(bench, { name: 'resolve_warm', subjects: SUBJECTS });
    const { port, host, pid, resolvePaths: paths, subjects } = deployment;
    await using floor = await startFloor({ port, host }, paths[0] ?? '', 'text');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, subjects, ...FETCH_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths, ...FETCH_LOAD },
    );
  },
};
