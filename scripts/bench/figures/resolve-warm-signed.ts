/** Resolutions answered from memory with a new signature each, over a server that does nothing but sign. @see OIDFED §8.3 */
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { startFloor } from '../service/floor.ts';
import { startResolveDeployment } from '../service/resolve-deployment.ts';

/** Answers that live for a second are in the second half of their life at once, so that none is given twice. */
const RESOLVE_LIFETIME_SECONDS = 1;
/** Callers who ask for the same at the same time share a signature: so many subjects that this is rare. */
const SUBJECTS = 2_000;
const SIGNING_LOAD = { connections: 16, pipelining: 1 } as const;

export const resolveWarmSigned: Figure = {
  name: 'resolve_warm_signed',
  summary: 'as resolve_warm with a new signature for each answer, over a bare Hono handler that signs the same payload',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    await using deployment = await startResolveDeployment(bench, {
      name: 'resolve_warm_signed',
      subjects: SUBJECTS,
      resolveLifetimeSeconds: RESOLVE_LIFETIME_SECONDS,
    });
    const { port, host, pid, resolvePaths: paths, subjects } = deployment;
    await using floor = await startFloor({ port, host }, paths[0] ?? '', 'signed');
    return await compareServers(
      bench,
      { port, host, serverPid: pid, paths, subjects, ...SIGNING_LOAD },
      { port: floor.port, host, serverPid: floor.pid, paths, ...SIGNING_LOAD },
    );
  },
};
