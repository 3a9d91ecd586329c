import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { addOrganisation } from '../../../src/registry/organisations/add-organisation.ts';
import { addContact } from '../../../src/registry/organisations/contacts/add-contact.ts';
import { confirmContact } from '../../../src/registry/organisations/contacts/confirm-contact.ts';
import type { Contact } from '../../../src/registry/organisations/contacts/contact.ts';
import { listContacts, readContact } from '../../../src/registry/organisations/contacts/read-contact.ts';
import { removeContact } from '../../../src/registry/organisations/contacts/remove-contact.ts';
import { updateContact } from '../../../src/registry/organisations/contacts/update-contact.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { readOrganisation } from '../../../src/registry/organisations/read-organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
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

describe.each(DATABASE_KINDS)('contacts on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const later = (hours: number) => registry.context(actor(), { now: new Date(NOW_DATE.getTime() + hours * 3_600_000) });
  const versionOf = async ({ id }: Organisation) => (await readOrganisation(registry.db, actor(), id)).version;

  /** An active organisation and its one contact, for incidents. */
  async function reachable(): Promise<{ organisation: Organisation; contact: Contact }> {
    const organisation = await registry.organisation(authority);
    const [contact] = organisation.contacts;
    if (contact === undefined) throw new Error('an organisation of tests has a contact');
    return { organisation, contact };
  }

  it('are added one by one, unconfirmed, and are another version of their organisation', async () => {
    const { organisation } = await reachable();
    const fields = { type: 'billing', email: 'pay@partner.example' } as const;
    const contact = await addContact(registry.context(), organisation.id, fields);
    expect(contact).toMatchObject({ ...fields, name: null, verifiedAt: null, lastConfirmedAt: null, version: 1 });
    expect(await readContact(registry.db, actor(), organisation.id, contact.id)).toEqual(contact);
    expect(await versionOf(organisation)).toBe(organisation.version + 1);
  });

  it('are confirmed: at first, and at last', async () => {
    const { organisation, contact } = await reachable();
    await confirmContact(later(1), organisation.id, contact.id, 'answered');
    const again = await confirmContact(later(2), organisation.id, contact.id, 'answered');
    expect([again.verifiedAt, again.lastConfirmedAt]).toEqual([later(1).now, later(2).now]);
    const renamed = await updateContact(later(3), organisation.id, contact.id, { name: 'Ada' });
    expect(renamed).toMatchObject({ name: 'Ada', verifiedAt: later(1).now, lastConfirmedAt: later(2).now });
  });

  it('have to be confirmed anew at another address', async () => {
    const { organisation, contact } = await reachable();
    await confirmContact(later(1), organisation.id, contact.id, 'answered');
    const moved = await updateContact(later(2), organisation.id, contact.id, { email: 'new@partner.example' });
    expect(moved).toMatchObject({ email: 'new@partner.example', verifiedAt: null, lastConfirmedAt: null });
  });

  it('keep version and seq when nothing would change', async () => {
    const { organisation, contact } = await reachable();
    const seq = await registry.seq();
    const { email, type } = contact;
    expect(await updateContact(registry.context(), organisation.id, contact.id, { email, type })).toEqual(contact);
    expect([await registry.seq(), await versionOf(organisation)]).toEqual([seq, organisation.version]);
  });

  it('refuse a stale version', async () => {
    const { organisation, contact } = await reachable();
    const of = [organisation.id, contact.id] as const;
    expect(await outcome(updateContact(registry.context(), ...of, { name: 'x' }, 7))).toBe('version_mismatch');
    expect(await outcome(confirmContact(registry.context(), ...of, 'x', 7))).toBe('version_mismatch');
    expect(await outcome(removeContact(registry.context(), ...of, 7))).toBe('version_mismatch');
  });

  it('are gone when removed, and stay in the audit', async () => {
    const { organisation } = await reachable();
    const fields = { type: 'billing', email: 'pay@partner.example' } as const;
    const { id } = await addContact(registry.context(), organisation.id, fields);
    await removeContact(registry.context(), organisation.id, id);
    const of = [organisation.id, id] as const;
    expect(await outcome(readContact(registry.db, actor(), ...of))).toBe('not_found');
    expect(await outcome(updateContact(registry.context(), ...of, { name: 'x' }))).toBe('not_found');
    expect(await outcome(removeContact(registry.context(), ...of))).toBe('not_found');
    const rows = (await registry.auditAfter()).filter(({ subjectId }) => subjectId === id);
    expect(rows.map(({ action }) => action)).toEqual(['contact.add', 'contact.remove']);
    expect(rows.at(-1)?.before).toMatchObject({ organisationId: organisation.id, ...fields });
  });

  it('belong to their organisation and to no other', async () => {
    const { contact } = await reachable();
    const { organisation: other } = await reachable();
    expect(await outcome(readContact(registry.db, actor(), other.id, contact.id))).toBe('not_found');
    expect(await outcome(removeContact(registry.context(), other.id, contact.id))).toBe('not_found');
    expect(await outcome(confirmContact(registry.context(), other.id, contact.id, 'x'))).toBe('not_found');
    expect(await outcome(addContact(registry.context(), nextId(), contact))).toBe('not_found');
  });

  it('are listed by type, page by page', async () => {
    const { organisation, contact } = await reachable();
    const billing = await addContact(registry.context(), organisation.id, { type: 'billing', email: 'b@p.example' });
    const list = (filter: object, limit: number, cursor?: string) =>
      listContacts(registry.db, actor(), organisation.id, filter, { limit, cursor });
    const first = await list({}, 1);
    expect(first.items).toEqual([contact]);
    expect(await list({}, 1, first.next)).toEqual({ items: [billing] });
    expect(await list({ type: 'billing' }, 10)).toEqual({ items: [billing] });
  });

  it('are at most fifty', async () => {
    const contacts = Array.from({ length: 50 }, (_, index) => ({
      type: 'technical' as const,
      email: `ops-${index}@partner.example`,
    }));
    const { id } = await addOrganisation(registry.context(), authority.id, { legalName: 'Many', contacts });
    const more = () => addContact(registry.context(), id, { type: 'billing', email: 'pay@partner.example' });
    expect(await outcome(more())).toBe('limit_reached');
  });

  describe('that an authority asks for', () => {
    it('are an incident contact unless it is set up otherwise', () => {
      expect(authority.requiredContactTypes).toEqual(['incident']);
    });

    it('let no organisation become active that lacks one', async () => {
      const strict = await registry.authority({ requiredContactTypes: ['incident', 'security'] });
      const contacts = [{ type: 'security', email: 'cert@partner.example' }] as const;
      const { id } = await addOrganisation(registry.context(), strict.id, { legalName: 'Partner', contacts });
      const approve = () => transitionOrganisation(registry.context(), id, 'approve', 'fine');
      const refusal = await refusedBy(approve());
      expect([refusal.code, refusal.details['missing']]).toEqual(['contact_missing', ['incident']]);
      expect((await readOrganisation(registry.db, actor(), id)).state).toBe('pending');
      await addContact(registry.context(), id, { type: 'incident', email: 'soc@partner.example' });
      expect((await approve()).state).toBe('active');
    });

    it('stay with an organisation as long as it is active', async () => {
      const { organisation, contact } = await reachable();
      const of = [organisation.id, contact.id] as const;
      expect(await outcome(removeContact(registry.context(), ...of))).toBe('contact_missing');
      expect(await outcome(updateContact(registry.context(), ...of, { type: 'billing' }))).toBe('contact_missing');
      expect(await readContact(registry.db, actor(), ...of)).toEqual(contact);
      await transitionOrganisation(registry.context(), organisation.id, 'suspend', 'x');
      expect(await outcome(removeContact(registry.context(), ...of))).toBe('done');
      const reinstated = transitionOrganisation(registry.context(), organisation.id, 'reinstate', 'x');
      expect(await outcome(reinstated)).toBe('contact_missing');
    });

    it('leave what is active as it is when they change', async () => {
      const changing = await registry.authority({ requiredContactTypes: [] });
      const organisation = await registry.organisation(changing);
      const requiredContactTypes = ['billing' as const];
      await updateAuthority(registry.context(), changing.id, { requiredContactTypes });
      const { id: contactId = '' } = organisation.contacts[0] ?? {};
      const renamed = updateContact(registry.context(), organisation.id, contactId, { name: 'Ada' });
      expect(await outcome(renamed)).toBe('done');
    });
  });
});
