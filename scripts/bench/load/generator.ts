/** The process that generates load; load-generator.ts starts it and tells it what to do. */
import type { LoadCommand, LoadPlan, LoadReply } from './load-plan.ts';
import { LoadRun } from './load-run.ts';
import { RequestTape } from './request-tape.ts';

let plan: LoadPlan | undefined;
let randomTape: RequestTape | undefined;

process.once('disconnect', () => process.exit());
process.on('message', (command: LoadCommand) => {
  obey(command).then(reply, (error: unknown) => {
    reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

function reply(message: LoadReply): void {
  process.send?.(message);
}

async function obey(command: LoadCommand): Promise<LoadReply> {
  if (command.kind === 'plan') {
    plan = command.plan;
    randomTape = RequestTape.random(plan);
    return { kind: 'planned' };
  }
  if (plan === undefined || randomTape === undefined) throw new Error('there is no plan yet');
  if (command.kind === 'random') {
    return { kind: 'measured', result: await new LoadRun(plan, randomTape).forSeconds(command.seconds) };
  }
  const tape = RequestTape.inOrder(plan);
  return { kind: 'measured', result: await new LoadRun(plan, tape).once() };
}
