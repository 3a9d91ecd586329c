/** Records an enforcement point; its token is returned once and kept nowhere. */

import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';
import type { EntityMode } from '../../storage/schema/entities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { USUAL_ENVIRONMENT } from '../entities/entity-attributes.ts';
import {
  auditedPoint,
  ENFORCEMENT_POINT_DEFAULTS,
  type EnforcementPoint,
  type EnforcementPointFields,
  type EnforcementPointRow,
  enforcementPointSnapshot,
  newEnforcementPointToken,
  requireMayBeKnownBy,
  requireValidFields,
  withUniqueness,
} from './enforcement-point.ts';
import { readEnforcementPoint } from './read-enforcement-point.ts';

export interface NewEnforcementPoint extends Partial<EnforcementPointFields> {
  name: string;
  /** Settled for good: whom it lets in. */
  mode?: EntityMode;
  environment?: string;
  /** False: it is known by its client certificate alone, or by its own socket. */
  hasToken?: boolean;
}

export interface EnforcementPointWithToken {
  point: EnforcementPoint;
  /** null: it has none. */
  token: string | null;
}

/** @throws RegistryError not_found, role_missing, validation_failed, enforcement_point_exists */
export async function addEnforcementPoint(
  context: ChangeContext,
  authorityId: string,
  { mode = 'live', environment = USUAL_ENVIRONMENT[mode], hasToken = true, ...fields }: NewEnforcementPoint,
): Promise<EnforcementPointWithToken> {
  const { actor, db, now } = context;
  authorise(actor, ACCESS.addEnforcementPoint.roles, authorityId);
  await readAuthority(db, actor, authorityId);
  const made = hasToken ? newEnforcementPointToken() : { token: null, tokenDigest: null };
  const id = context.newId();
  await changeRegistry(context, async (tx, record) => {
    const point: EnforcementPointRow = {
      ...{ id, authorityId, mode, environment },
      ...ENFORCEMENT_POINT_DEFAULTS,
      ...fields,
      tokenDigest: made.tokenDigest,
      ...{ state: 'active', stateReason: null, stateChangedAt: now },
      ...{ version: 1, createdAt: now },
    };
    requireMayBeKnownBy(actor, undefined, point);
    await requireValidFields(tx, undefined, point, context);
    await withUniqueness(() => tx.insert(enforcementPoints).values(point));
    record({
      action: 'enforcement_point.add',
      ...auditedPoint(point),
      after: enforcementPointSnapshot(point),
    });
  });
  return { point: await readEnforcementPoint(db, actor, id), token: made.token };
}
