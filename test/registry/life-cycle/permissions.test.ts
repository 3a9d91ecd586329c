import { describe, expect, it } from 'vitest';
import matrix from '../../../fixtures/cdr-matrix.json' with { type: 'json' };
import { delegationOf } from '../../../src/registry/life-cycle/delegation.ts';
import { permissionsOf } from '../../../src/registry/life-cycle/permissions.ts';
import { effectiveState } from '../../../src/registry/states.ts';
import type { ParticipantState } from '../../../src/storage/schema/organisations.ts';

const STATES: ParticipantState[] = ['pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked'];

const rows = matrix.rows.flatMap(({ recipient, product, authorise, disclose, withdraw }) => {
  const organisation = (matrix.states.recipient as Record<string, string>)[recipient] as ParticipantState;
  const owns = (matrix.states.product as Record<string, string[]>)[product] as ParticipantState[];
  const expected = { newAuthorization: authorise, useExisting: disclose, withdrawConsent: withdraw };
  return owns.map((own) => ({ recipient, product, organisation, own, expected }));
});

describe('F06 permissions by status pair', () => {
  it('F06 has the seven rows of the matrix', () => {
    expect(matrix.rows).toHaveLength(7);
    expect(new Set(matrix.rows.map(({ recipient, product }) => `${recipient} ${product}`)).size).toBe(7);
  });

  it.each(rows)('F06 $recipient with $product ($organisation, $own)', ({ organisation, own, expected }) => {
    expect(permissionsOf(organisation, own)).toEqual(expected);
  });

  it('F06 counts a cascade like the state itself: an inactive product is what a suspension makes of an active one', () => {
    for (const own of ['active', 'suspended'] as const) {
      expect(permissionsOf('suspended', own)).toEqual(permissionsOf('active', 'suspended'));
    }
  });

  const pairs = STATES.flatMap((organisation) => STATES.map((own) => ({ organisation, own })));

  it.each(pairs)(
    'F06 $organisation, $own: nothing is used or begun unless both are active',
    ({ organisation, own }) => {
      const { newAuthorization, useExisting, withdrawConsent } = permissionsOf(organisation, own);
      const isActive = effectiveState(own, organisation) === 'active';
      expect([newAuthorization, useExisting]).toEqual([isActive, isActive]);
      if (withdrawConsent) expect(['active', 'suspended']).toContain(effectiveState(own, organisation));
    },
  );

  it.each(pairs)('F06 on behalf of another that is $organisation by what is $own: as far as both', (pair) => {
    for (const its of STATES) {
      const { state, permissions } = delegationOf(pair.organisation, its, pair.own);
      const isActive = pair.organisation === 'active' && its === 'active' && pair.own === 'active';
      expect([state === 'active', permissions.newAuthorization, permissions.useExisting]).toEqual(
        Array.from({ length: 3 }, () => isActive),
      );
      if (!permissions.withdrawConsent) continue;
      expect(permissionsOf(its, pair.own).withdrawConsent).toBe(true);
      expect(['active', 'suspended']).toContain(pair.organisation);
    }
  });

  it('F06 permits nothing in a state that it does not know, for however long', () => {
    const nothing = { newAuthorization: false, useExisting: false, withdrawConsent: false };
    expect(permissionsOf('unheard_of' as ParticipantState, 'active')).toEqual(nothing);
    expect(permissionsOf('active', 'constructor' as ParticipantState)).toEqual(nothing);
  });
});
