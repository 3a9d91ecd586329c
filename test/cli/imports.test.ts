/** Two admins at the command line: one hands a document in, the other looks at what it changes and decides. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ExportDocument, federationDocument } from '../../scripts/bench/samples/federation-document.ts';
import { callHoldfast } from '../support/cli.ts';
import { actor } from '../support/registry.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { exportedDocument } from '../support/transfer-documents.ts';

const stack = new AsyncDisposableStack();
let service: TestService;
let document: ExportDocument;
let file: string;
let first: Record<string, string>;
let second: Record<string, string>;

beforeAll(async () => {
  const folder = stack.use(new TemporaryFolder());
  service = stack.use(await startTestService('embedded'));
  await service.authority();
  const [authority = {}] = (await exportedDocument(service.db, actor())).records.authorities ?? [];
  document = await federationDocument(12, authority);
  file = folder.write('federation.json', JSON.stringify(document));
  const { origin } = stack.use(await service.listen());
  const envOf = async () => ({
    HOLDFAST_URL: origin,
    HOLDFAST_TOKEN: (await service.bearer(['admin'])).authorization.replace('Bearer ', ''),
  });
  [first, second] = [await envOf(), await envOf()];
});
afterAll(() => stack.disposeAsync());

/** By the first admin. @returns its id */
async function handedIn(): Promise<string> {
  const { exitCode, stdout, stderr } = await callHoldfast(['import', file, '--restore', '--yes', '--json'], {
    env: first,
  });
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout).stored;
}

const decided = (verb: string, id: string) =>
  callHoldfast(['imports', verb, id, '--reason', 'compared the digest', '--yes'], { env: second });

it('[F17] shows who is affected, and by what, to whoever decides about a restore', async () => {
  const id = await handedIn();
  const shown = await callHoldfast(['imports', 'show', id], { env: second });
  expect([shown.exitCode, shown.stderr]).toEqual([0, '']);
  expect(shown.stdout).toContain('Members affected: 2 organisations, 12 entities');
  const [entity] = document.records.entities ?? [];
  for (const line of ['+ organisations Member 0 Ltd ', `+ entities ${entity?.['entityIdentifier']} `]) {
    expect(shown.stdout).toContain(line);
  }
  const machine = JSON.parse((await callHoldfast(['imports', 'show', id, '--json'], { env: second })).stdout);
  expect(machine.outcome.summary.entities).toMatchObject({ added: 12 });
  const rejected = await decided('reject', id);
  expect([rejected.exitCode, rejected.stdout]).toEqual([0, 'It is rejected.\n']);
  const after = await callHoldfast(['imports', 'show', id], { env: second });
  expect(after.stdout).toMatch(/state +rejected\n/);
  expect(after.stdout).not.toContain('Members affected');
});

it('[F17] shows the same before it is approved; what another one brought meanwhile is affected no more', async () => {
  const [applied, late] = [await handedIn(), await handedIn()];
  const approved = await decided('approve', applied);
  expect([approved.exitCode, approved.stdout]).toEqual([0, 'It is applied.\n']);
  expect(approved.stderr).toContain('Members affected: 2 organisations, 12 entities');
  const refused = await decided('approve', late);
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    expect.stringContaining('Members affected: 0 organisations, 0 entities'),
  ]);
});
