import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrolEntity } from '../../src/enrolment/enrol-entity.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { giveRole } from '../../src/registry/roles/give-role.ts';
import { takeRole } from '../../src/registry/roles/take-role.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { enrolmentOf, publishedEntity } from '../support/enrolment.ts';
import { NOW_DATE, openOrganisation, type TestRegistry } from '../support/registry.ts';
import { assignedRole, policyOf, role } from '../support/roles.ts';

describe.each(DATABASE_KINDS)('checks of an entity with roles on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  let organisation: Organisation;
  beforeAll(async () => {
    ({ registry, authority, organisation } = await openOrganisation(kind));
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('F02 look at its metadata under the policies of the roles that it holds then', async () => {
    const rp = await publishedEntity(authority);
    const { id } = await enrolEntity(registry.context(), enrolmentOf(organisation.id, rp.identifier), rp.retrieve);
    const metadataPolicy = policyOf({ one_of: ['Another RP'] }, 'client_name');
    const { id: roleId } = await role(registry, authority, { metadataPolicy });
    const validTo = new Date(NOW_DATE.getTime() + 100_000);
    await assignedRole(registry, organisation, { id: roleId, validTo });
    const checked = async (now = NOW_DATE) => {
      const { checks, checksOutdated } = await recheckEntity(registry.context(undefined, { now }), id, rp.retrieve);
      const failed = checks.filter(({ outcome }) => outcome === 'failed').map(({ check, reason }) => [check, reason]);
      return { failed, checksOutdated };
    };
    expect(await checked()).toEqual({ failed: [], checksOutdated: false });
    const { entityRoleId } = await giveRole(registry.context(), id, roleId);
    const refused = { failed: [['metadata_policy', 'policy_value_not_allowed']], checksOutdated: false };
    expect(await checked()).toEqual(refused);
    expect(await checked(validTo)).toEqual({ failed: [], checksOutdated: false });
    expect(await checked()).toEqual(refused);
    await takeRole(registry.context(), id, entityRoleId ?? '', 'unused');
    expect(await checked()).toEqual({ failed: [], checksOutdated: false });
  });
});
