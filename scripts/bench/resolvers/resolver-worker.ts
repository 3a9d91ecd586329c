/** The process of one resolver; resolver-process.ts starts it and tells it what to do. */
import { inLanes } from '../rounds.ts';
import type { ColdResolve, ResolveCommand, ResolvePlan, ResolveReply, ResolverName } from './resolve-plan.ts';

/** Imported where they run only, so that nobody pays for another's code. */
const RESOLVERS: Record<ResolverName, () => Promise<{ createColdResolve(plan: ResolvePlan): ColdResolve }>> = {
  holdfast: () => import('./holdfast.ts'),
  '@openid-federation/core': () => import('./openid-federation-core.ts'),
  '@sphereon/openid-federation-client': () => import('./sphereon.ts'),
};

let resolve: ColdResolve | undefined;

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.on('message', (command: ResolveCommand) => {
  obey(command).then(reply, (error: unknown) => reply({ kind: 'failed', message: messageOf(error) }));
});

function reply(message: ResolveReply): void {
  process.send?.(message);
}

async function obey(command: ResolveCommand): Promise<ResolveReply> {
  if (command.kind === 'plan') {
    const { createColdResolve } = await RESOLVERS[command.plan.resolver]();
    resolve = createColdResolve(command.plan);
    return await tried(resolve);
  }
  if (resolve === undefined) throw new Error('there is no plan yet');
  return { kind: 'measured', run: await inLanes(command.concurrency, resolve)(command.seconds) };
}

async function tried(attempt: ColdResolve): Promise<ResolveReply> {
  try {
    await attempt();
    return { kind: 'planned' };
  } catch (error) {
    return { kind: 'unresolved', message: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
