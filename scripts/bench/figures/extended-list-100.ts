/** Pages of the Extended Subordinate Listing, over what the HTTP server itself can do with as many bytes. @see EXTLIST §3 */
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { deploymentOf100 } from '../service/deployment.ts';
import { bodyOf, exchange } from '../service/exchange.ts';
import { startFloor } from '../service/floor.ts';

const PAGE_LOAD = { connections: 4, pipelining: 1 } as const;
const PAGE_PATH = `${ENDPOINT_PATHS.extendedList}?limit=100&claims=subordinate_statement`;

export const extendedList100: Figure = {
  name: 'extended_list_100',
  summary:
    'pages of 100 subordinates with their statements a second, over a bare Hono handler that sends the same body',
  unit: 'ratio',
  target: 0.5,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(deploymentOf100);
    const { port, host, pid } = deployment;
    requireWholePage(bodyOf(await exchange(deployment, PAGE_PATH)));
    const paths = [PAGE_PATH];
    await using floor = await startFloor({ port, host }, PAGE_PATH, 'bytes');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, ...PAGE_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths, ...PAGE_LOAD },
    );
  },
};

/** Everybody is there, with a statement. */
function requireWholePage(body: string): void {
  const { immediate_subordinate_entities: entries }: { immediate_subordinate_entities: object[] } = JSON.parse(body);
  const withStatement = entries.filter((entry) => 'subordinate_statement' in entry);
  if (withStatement.length !== 100) throw new Error(`the page has ${withStatement.length} statements instead of 100`);
}
