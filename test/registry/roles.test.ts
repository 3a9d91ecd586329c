import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/registry/actor.ts';
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

  describe.each(VERBS)('$name', ({ roles, scope, audit, prepare }) => {
    type Attempt = Awaited<ReturnType<typeof prepare>>;

    /** Nobody did it yet: who is refused leaves it to the next. */
    let untried: Promise<Attempt> | undefined;
    const prepared = (): Promise<Attempt> => {
      untried ??= prepare(registry, authority);
      return untried;
    };

    async function refused(callers: readonly Actor[], code: string): Promise<void> {
      const attempt = await prepared();
      const seq = await registry.seq();
      for (const caller of callers) expect(await outcome(attempt(registry.context(caller)))).toBe(code);
      expect(await registry.seq()).toBe(seq);
    }

    it('is refused to all other roles together, and changes nothing', async () => {
      const others = ALL_ROLES.filter((role) => !roles.includes(role));
      await refused([actor({ roles: others }), actor({ roles: [] })], 'role_missing');
    });

    if (scope === 'authority') {
      it('is not there for whoever does not reach the authority', async () => {
        await refused([actor({ authorities: [other.id] }), actor({ authorities: [] })], 'not_found');
      });
    }

    if (scope === 'deployment') {
      it('needs a reach over all authorities', async () => {
        await refused([actor({ authorities: [authority.id, other.id] })], 'role_missing');
      });
    }

    // All roles and all authorities together are enough as well: the tests of the audit act so.
    it.each(roles)('is done by %s alone, without any reach that it does not need', async (role) => {
      const attempt = await prepared();
      const isRead = audit.length === 0;
      if (!isRead) untried = undefined;
      const authorities = scope === 'authority' ? [authority.id] : 'all';
      expect(await outcome(attempt(registry.context(actor({ roles: [role], authorities }))))).toBe('done');
    });
  });
});

describe('the table of verbs', () => {
  /** Functions that act for somebody, but are parts of verbs and not called from outside. */
  const PARTS = new Set([
    ...['authorise', 'requireRole', 'requireAuthority', 'reaches', 'inReach', 'requireAccess'],
    ...['requireNotSuspended', 'despiteSuspension', 'changeRegistry', 'createOnce', 'madeBefore'],
    ...['tokensInReach', 'requireGovernable', 'requireMayGive', 'requireMayCertify', 'requireMayAskFor'],
    ...['requireMayNameAudience', 'requireMayBeKnownBy'],
    // Of what eventsInReach let him see.
    'eventBodyFor',
    // Of whoever asks, whatever the role.
    ...['rotateOwnToken', 'actorRecord'],
    // Works in the transaction of importRegistry and approveImport, who authorise.
    ...['importInto', 'applyImport'],
    // Of what the roles of somebody belong to.
    ...['requireOrganisation', 'requireEntity'],
    // Called by recheckEntity and approveEntity, who authorise; by addEntity and an enrolment that passed its checks;
    // by the verbs of enrolment.
    ...['freshChecks', 'insertEntity', 'keepTerms'],
    // Parts of the verbs of enrolment, who authorise; what comes without a token proves itself, or asks and no more.
    ...['onBehalfOfFlow', 'authoriseEnrolment', 'requireOwnSettings', 'inputRequest', 'newEnrolmentRow', 'stepSubject'],
    ...['runNew', 'writeDraft', 'saveRun', 'saveDraft', 'giveApproval', 'hookApproval', 'closeAs', 'closeEnrolment'],
    ...['requestSigned', 'requestPublicly', 'makeRoom', 'lapseEnrolments'],
    ...['beginningOfEnrolment', 'runBegunEnrolment', 'checkHandedOver'],
    // Parts of the verbs of certificates, who authorise; what comes without a token shows a code or a certificate.
    ...['submitRequest', 'signCertificate', 'closeRequest'],
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
          .filter(([, , parameters]) => /: (ChangeContext|CertificationContext|Actor)\b/.test(parameters ?? ''))
          .flatMap(([, name]) => name ?? []);
      });
  }
});
