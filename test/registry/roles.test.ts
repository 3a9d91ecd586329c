import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { ALL_ROLES, actor, openRegistry, outcome, type TestRegistry } from '../support/registry.ts';
import { VERBS } from '../support/registry-verbs.ts';

describe.each(DATABASE_KINDS)('who may do what on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  let other: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    other = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it.each(VERBS)('$name: each of $roles alone is enough', async ({ roles, prepare }) => {
    for (const role of roles) {
      const attempt = await prepare(registry, authority);
      expect([role, await outcome(attempt(registry.context(actor({ roles: [role] }))))]).toEqual([role, 'done']);
    }
  });

  it.each(VERBS)('$name: all other roles together are not, and change nothing', async ({ roles, prepare }) => {
    const attempt = await prepare(registry, authority);
    const seq = await registry.seq();
    for (const lacking of [ALL_ROLES.filter((role) => !roles.includes(role)), []]) {
      expect(await outcome(attempt(registry.context(actor({ roles: lacking }))))).toBe('role_missing');
    }
    expect(await registry.seq()).toBe(seq);
  });

  const inOneAuthority = VERBS.filter(({ scope }) => scope === 'authority');

  it.each(inOneAuthority)('$name: whoever reaches the authority may, whatever else they reach', async ({ prepare }) => {
    const attempt = await prepare(registry, authority);
    expect(await outcome(attempt(registry.context(actor({ authorities: [authority.id] }))))).toBe('done');
  });

  it.each(inOneAuthority)('$name: to whoever does not reach the authority nothing is there', async ({ prepare }) => {
    const attempt = await prepare(registry, authority);
    const seq = await registry.seq();
    for (const authorities of [[other.id], []]) {
      expect(await outcome(attempt(registry.context(actor({ authorities }))))).toBe('not_found');
    }
    expect(await registry.seq()).toBe(seq);
  });

  it.each(VERBS.filter(({ scope }) => scope === 'deployment'))(
    '$name: needs a reach over all authorities',
    async ({ prepare }) => {
      const attempt = await prepare(registry, authority);
      const reach = [authority.id, other.id];
      expect(await outcome(attempt(registry.context(actor({ authorities: reach }))))).toBe('role_missing');
    },
  );
});

describe('the table of verbs', () => {
  /** Functions that act for somebody, but are parts of verbs and not called from outside. */
  const PARTS = new Set([
    ...['authorise', 'requireRole', 'requireAuthority', 'reaches', 'inReach', 'requireAccess'],
    ...['changeRegistry', 'createOnce', 'madeBefore'],
    ...['tokensInReach', 'requireGovernable', 'requireMayGive', 'requireMayCertify'],
    // Of whoever asks, whatever the role.
    'rotateOwnToken',
    // Of what the roles of somebody belong to.
    ...['requireOrganisation', 'requireEntity'],
    // Called by recheckEntity and approveEntity, who authorise; by addEntity and an enrolment that passed its checks;
    // by the verbs of enrolment.
    ...['freshChecks', 'insertEntity', 'keepTerms'],
    // Parts of the verbs of enrolment, who authorise; what comes without a token proves itself, or asks and no more.
    ...['onBehalfOfFlow', 'authoriseEnrolment', 'requireOwnSettings', 'inputRequest', 'newEnrolmentRow', 'stepSubject'],
    ...['runNew', 'writeDraft', 'saveRun', 'saveDraft', 'giveApproval', 'hookApproval', 'closeAs', 'closeEnrolment'],
    ...['requestSigned', 'requestPublicly', 'lapseEnrolments'],
    // Acts for the service itself, by createAuthority.
    'ensureFirstAuthority',
  ]);

  it('names every function of registry and enrolment that acts for somebody', () => {
    const acting = ['registry', 'enrolment'].flatMap(actingFunctions).filter((name) => !PARTS.has(name));
    const named = VERBS.map(({ name }) => name.replace(/ \(.*\)$/, ''));
    expect([...new Set(named)].sort()).toEqual(acting.sort());
  });

  function actingFunctions(folder: string): string[] {
    const root = join(import.meta.dirname, '../../src', folder);
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const source = readFileSync(join(root, file), 'utf8');
        const functions = source.matchAll(/^export (?:async )?function (\w+)(?:<[^>]*>)?\(([\s\S]*?)\)(?:: | \{)/gm);
        return [...functions]
          .filter(([, , parameters]) => /: (ChangeContext|Actor)\b/.test(parameters ?? ''))
          .flatMap(([, name]) => name ?? []);
      });
  }
});
