/** Whether serving statements slows down with the number of subordinates. @see OIDFED §8.1 */
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { FETCH_LOAD } from '../load/fetch-load.ts';
import type { LoadPlan } from '../load/load-plan.ts';
import { type Deployment, deploymentOf100, deploymentOf100k } from '../service/deployment.ts';

export const fetchAt100k: Figure = {
  name: 'fetch_at_100k',
  summary: 'fetch requests a second, as in fetch_warm, with 100,000 subordinates over those with 100',
  unit: 'ratio',
  target: 0.9,
  better: 'higher',
  async measure(bench) {
    const large = await bench.shared(deploymentOf100k);
    const small = await bench.shared(deploymentOf100);
    return await compareServers(bench, fetchPlan(large), fetchPlan(small));
  },
};

function fetchPlan({ port, host, pid: serverPid, fetchPaths: paths, subjects }: Deployment): LoadPlan {
  return { port, host, serverPid, paths, subjects, ...FETCH_LOAD };
}
