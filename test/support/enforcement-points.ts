/** Enforcement points in tests, and what can be done with them. */
import { STAFF_ROLES } from '../../src/registry/actor.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import {
  addEnforcementPoint,
  type EnforcementPointWithToken,
  type NewEnforcementPoint,
} from '../../src/registry/enforcement-points/add-enforcement-point.ts';
import {
  listEnforcementPoints,
  readEnforcementPoint,
} from '../../src/registry/enforcement-points/read-enforcement-point.ts';
import { removeEnforcementPoint } from '../../src/registry/enforcement-points/remove-enforcement-point.ts';
import { rotateEnforcementPointToken } from '../../src/registry/enforcement-points/rotate-enforcement-point-token.ts';
import { transitionEnforcementPoint } from '../../src/registry/enforcement-points/transition-enforcement-point.ts';
import { updateEnforcementPoint } from '../../src/registry/enforcement-points/update-enforcement-point.ts';
import { nextId, type TestRegistry } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

/** An enforcement point under a name of its own, with its token. */
export async function enforcementPoint(
  registry: Pick<TestRegistry, 'context'>,
  { id }: Pick<Authority, 'id'>,
  settings: Partial<NewEnforcementPoint> = {},
): Promise<EnforcementPointWithToken & { token: string }> {
  const { point, token } = await addEnforcementPoint(registry.context(), id, { name: nextId(), ...settings });
  return { point, token: token ?? '' };
}

const READS: Pick<Verb, 'roles' | 'scope'> = { roles: STAFF_ROLES, scope: 'authority' };
const CHANGES: Pick<Verb, 'roles' | 'scope'> = { roles: ['admin'], scope: 'authority' };

export const ENFORCEMENT_POINT_VERBS: Verb[] = [
  {
    ...{ name: 'readEnforcementPoint', ...READS, audit: [] },
    prepare: async (registry, authority) => {
      const { point } = await enforcementPoint(registry, authority);
      return ({ db, actor }) => readEnforcementPoint(db, actor, point.id);
    },
  },
  {
    ...{ name: 'listEnforcementPoints', ...READS, audit: [] },
    prepare:
      async (_registry, { id }) =>
      ({ db, actor }) =>
        listEnforcementPoints(db, actor, { authorityId: id }, { limit: 10 }),
  },
  {
    ...{ name: 'addEnforcementPoint', ...CHANGES, audit: ['enforcement_point.add'] },
    prepare:
      async (_registry, { id }) =>
      (context) =>
        addEnforcementPoint(context, id, { name: nextId() }),
  },
  changing('updateEnforcementPoint', 'update', (context, id) =>
    updateEnforcementPoint(context, id, { name: nextId() }),
  ),
  changing('rotateEnforcementPointToken', 'rotate_token', rotateEnforcementPointToken),
  changing('transitionEnforcementPoint (suspend)', 'suspend', (context, id) =>
    transitionEnforcementPoint(context, id, 'suspend', 'a reason of the test'),
  ),
  {
    ...{ name: 'transitionEnforcementPoint (reinstate)', ...CHANGES, audit: ['enforcement_point.reinstate'] },
    prepare: async (registry, authority) => {
      const { point } = await enforcementPoint(registry, authority);
      await transitionEnforcementPoint(registry.context(), point.id, 'suspend', 'a reason of the test');
      return (context) => transitionEnforcementPoint(context, point.id, 'reinstate', 'a reason of the test');
    },
  },
  changing('removeEnforcementPoint', 'remove', removeEnforcementPoint),
];

function changing(
  name: string,
  action: string,
  verb: (context: Parameters<typeof removeEnforcementPoint>[0], id: string) => Promise<unknown>,
): Verb {
  return {
    ...{ name, ...CHANGES, audit: [`enforcement_point.${action}`] },
    prepare: async (registry, authority) => {
      const { point } = await enforcementPoint(registry, authority);
      return (context) => verb(context, point.id);
    },
  };
}
