import { afterAll, beforeAll, expect, it } from 'vitest';
import { ReadyAnswers } from '../../src/issuance/ready-answers.ts';
import { StatementIssuer } from '../../src/issuance/statement-issuer.ts';
import { AuthorityDirectory } from '../../src/registry/authorities/authority-directory.ts';
import { revokeAuthorityKey } from '../../src/registry/authorities/keys/revoke-authority-key.ts';
import { STATEMENTS_ONLY } from '../../src/registry/authorities/keys/signed-by-key.ts';
import { headerOf } from '../support/answers.ts';
import { ManualClock } from '../support/federation.ts';
import { generateTestKey, openRegistry, type TestRegistry, testSigner } from '../support/registry.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openRegistry('embedded');
});
afterAll(() => registry[Symbol.asyncDispose]());

it('what was being signed when a key was revoked is signed anew, and not kept', async () => {
  const authority = await registry.authority();
  const entity = await registry.entity(await registry.organisation(authority));
  const directory = new AuthorityDirectory(registry.db);
  await directory.reload();
  const former = directory.get(authority.id)!;
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let isFirst = true;
  const clock = new ManualClock();
  const signer = {
    ...testSigner,
    sign: async (...args: Parameters<typeof testSigner.sign>) => {
      if (isFirst) {
        isFirst = false;
        reached.resolve();
        await gate.promise;
      }
      return testSigner.sign(...args);
    },
  };
  const issuer = new StatementIssuer({
    db: registry.db,
    signer,
    clock,
    random: () => 0.5,
    houseRules: { maxLifetimeSeconds: 86_400 },
  });
  const answers = new ReadyAnswers({ db: registry.db, issuer, clock, directory, statementCacheBytes: 1_000_000 });
  const pending = answers.subordinateStatement(former, entity.entityIdentifier as never);
  await reached.promise;
  await revokeAuthorityKey(
    registry.context(),
    authority.id,
    former.keys[0]!.kid,
    { revocationReason: 'compromised', reason: 'x' },
    { generateKey: generateTestKey, signedByKey: STATEMENTS_ONLY },
  );
  const seq = await registry.seq();
  const changes = await registry.auditAfter(seq - 1);
  await directory.follow(changes as never);
  answers.follow(changes as never, []);
  gate.resolve();
  const inFlight = await pending;
  const present = directory.get(authority.id)!;
  const active = present.keys.find(({ state }) => state === 'active')!.kid;
  const later = await answers.subordinateStatement(present, entity.entityIdentifier as never);
  const kids = [inFlight, later].map((answer) => headerOf(String(answer?.body))['kid']);
  expect({ inFlight: kids[0], later: kids[1] }).toEqual({ inFlight: active, later: active });
});
