import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addOrganisation } from '../../../src/registry/organisations/add-organisation.ts';
import { listOrganisations, readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('organisations on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const contacts = [{ type: 'security', name: 'Ada', email: 'ada@partner.example' }] as const;

  it('begin pending, with their contacts, which nobody confirmed', async () => {
    const organisation = await addOrganisation(registry.context(), authority.id, { legalName: 'Partner', contacts });
    expect(organisation).toEqual({
      id: organisation.id,
      authorityId: authority.id,
      legalName: 'Partner',
      registrationNumber: null,
      registrationRegister: null,
      registrationCountry: null,
      previousId: null,
      parentId: null,
      tags: [],
      contacts: [
        {
          id: expect.any(String),
          organisationId: organisation.id,
          ...contacts[0],
          pgpFingerprint: null,
          verifiedAt: null,
          lastConfirmedAt: null,
          version: 1,
          createdAt: NOW_DATE,
          removedAt: null,
        },
      ],
      state: 'pending',
      stateReason: null,
      stateReasonCode: null,
      suspendedUntil: null,
      stateChangedAt: NOW_DATE,
      version: 1,
      createdAt: NOW_DATE,
    });
    expect(await readOrganisation(registry.db, actor(), organisation.id)).toEqual(organisation);
  });

  it('cannot be added to an authority that does not exist', async () => {
    const fields = { legalName: 'Partner', contacts };
    expect(await outcome(addOrganisation(registry.context(), nextId(), fields))).toBe('not_found');
    expect(await outcome(addOrganisation(registry.context(), 'no-uuid', fields))).toBe('not_found');
  });

  it('have a bounded number of contacts', async () => {
    const many = Array.from({ length: 51 }, () => contacts[0]);
    const added = addOrganisation(registry.context(), authority.id, { legalName: 'Partner', contacts: many });
    expect(await outcome(added)).toBe('limit_reached');
  });

  it('change in what is given, and in nothing else', async () => {
    const organisation = await registry.organisation(authority);
    const renamed = await updateOrganisation(registry.context(), organisation.id, {
      legalName: 'Renamed',
      tags: undefined,
    });
    expect(renamed).toEqual({ ...organisation, legalName: 'Renamed', version: organisation.version + 1 });
    expect(await readOrganisation(registry.db, actor(), organisation.id)).toEqual(renamed);
  });

  it('keep version and seq when nothing would change', async () => {
    const registration = { number: '1', register: 'Same', country: 'SE' };
    const fields = { legalName: 'Same', registration, tags: ['a', 'b'] };
    const organisation = await addOrganisation(registry.context(), authority.id, fields);
    const seq = await registry.seq();
    expect(await updateOrganisation(registry.context(), organisation.id, fields)).toEqual(organisation);
    expect(await registry.seq()).toBe(seq);
  });

  it('refuse a stale version, also of a change that would change nothing', async () => {
    const { id, legalName, version } = await registry.organisation(authority);
    const stale = version - 1;
    const change = (name: string, seen: number) =>
      outcome(updateOrganisation(registry.context(), id, { legalName: name }, seen));
    expect(await change('Other', stale)).toBe('version_mismatch');
    expect(await change(legalName, stale)).toBe('version_mismatch');
    expect(await change('Other', version)).toBe('done');
  });

  describe('registered somewhere', () => {
    let numbers = 0;
    const fresh = () => ({ number: `HRB ${++numbers}`, register: 'Amtsgericht München', country: 'DE' });
    const add = (registration: ReturnType<typeof fresh>, into = authority) =>
      addOrganisation(registry.context(), into.id, { legalName: 'Registered', registration });

    it.each([
      ['letter case', (number: string) => number.toLowerCase()],
      ['white space', (number: string) => `  ${number.replace(' ', ' \u00a0 ')} `],
      ['full width', (number: string) => number.replace('HRB', 'ＨＲＢ')],
    ])('stand for one open record, whatever the %s', async (_what, respelt) => {
      const registration = fresh();
      const { id } = await add(registration);
      const refusal = await refusedBy(add({ ...registration, number: respelt(registration.number) }));
      expect([refusal.code, refusal.details['organisation']]).toEqual(['organisation_exists', id]);
    });

    it('are others in another register, another country, and another authority', async () => {
      const registration = fresh();
      await add(registration);
      expect(await outcome(add({ ...registration, register: 'Amtsgericht Köln' }))).toBe('done');
      expect(await outcome(add({ ...registration, country: 'AT' }))).toBe('done');
      expect(await outcome(add(registration, await registry.authority()))).toBe('done');
    });

    it('are refused by name when one moves to where another is, and nothing changes', async () => {
      const [taken, free] = [fresh(), fresh()];
      const one = await add(taken);
      const other = await add(free);
      const seq = await registry.seq();
      const refusal = await refusedBy(
        updateOrganisation(registry.context(), other.id, { legalName: 'Moved', registration: taken }),
      );
      expect([refusal.code, refusal.details['organisation']]).toEqual(['organisation_exists', one.id]);
      expect(await registry.seq()).toBe(seq);
      expect(await readOrganisation(registry.db, actor(), other.id)).toEqual(other);
    });

    it('let one of two win who come at once', async () => {
      const registration = fresh();
      const outcomes = await Promise.all([outcome(add(registration)), outcome(add(registration))]);
      expect(outcomes.sort()).toEqual(['done', 'organisation_exists']);
    });

    it('come back, when closed, as a new record that names the closed one', async () => {
      const registration = fresh();
      const first = await add(registration);
      await transitionOrganisation(registry.context(), first.id, 'reject', 'unknown');
      const second = await add({ ...registration, number: registration.number.toLowerCase() });
      expect([first.previousId, second.previousId]).toEqual([null, first.id]);
      const named = { legalName: 'Named', previousId: first.id };
      expect((await addOrganisation(registry.context(), authority.id, named)).previousId).toBe(first.id);
      const open = addOrganisation(registry.context(), authority.id, { legalName: 'X', previousId: second.id });
      expect(await outcome(open)).toBe('validation_failed at /previousId');
    });

    it('can be unknown again', async () => {
      const { id } = await add(fresh());
      const without = await updateOrganisation(registry.context(), id, { registration: null });
      expect(without).toMatchObject({
        registrationNumber: null,
        registrationRegister: null,
        registrationCountry: null,
      });
    });

    it('are in a country that there is', async () => {
      expect(await outcome(add({ ...fresh(), country: 'ZZ' }))).toBe('validation_failed at /registration/country');
    });

    it('are found by number and country', async () => {
      const registration = fresh();
      const { id } = await add(registration);
      const found = async (filter: object) => {
        const { items } = await listOrganisations(registry.db, actor(), filter, { limit: 10 });
        return items.map((item) => item.id);
      };
      expect(await found({ registrationNumber: ` ${registration.number.toLowerCase()}` })).toEqual([id]);
      expect(await found({ registrationNumber: registration.number, registrationCountry: 'FR' })).toEqual([]);
    });
  });

  describe('that belong to others', () => {
    const below = (parentId: string | null) =>
      addOrganisation(registry.context(), authority.id, { legalName: 'Below', parentId });
    const move = (id: string, parentId: string | null) => updateOrganisation(registry.context(), id, { parentId });

    it('name one of the same authority', async () => {
      const parent = await registry.organisation(authority);
      const foreign = await registry.organisation(await registry.authority());
      expect((await below(parent.id)).parentId).toBe(parent.id);
      expect(await outcome(below(foreign.id))).toBe('validation_failed at /parentId');
      expect(await outcome(below(nextId()))).toBe('validation_failed at /parentId');
      expect(await outcome(move(parent.id, foreign.id))).toBe('validation_failed at /parentId');
      const closed = await registry.organisation(authority, 'withdrawn');
      expect(await outcome(below(closed.id))).toBe('validation_failed at /parentId');
    });

    it('never stand below themselves, over any steps', async () => {
      const top = await below(null);
      const middle = await below(top.id);
      const bottom = await below(middle.id);
      for (const parent of [top, middle, bottom]) {
        expect(await outcome(move(top.id, parent.id))).toBe('validation_failed at /parentId');
      }
      expect((await move(bottom.id, top.id)).parentId).toBe(top.id);
      expect((await move(middle.id, null)).parentId).toBeNull();
    });

    it('make no circle when two move at once', async () => {
      const [one, other] = [await below(null), await below(null)];
      const outcomes = await Promise.all([outcome(move(one.id, other.id)), outcome(move(other.id, one.id))]);
      expect(outcomes.sort()).toEqual(['done', 'validation_failed at /parentId']);
    });
  });
});
