/** Organisations and their contacts in an export. That an address was confirmed is shown anew elsewhere. */
import { isNull } from 'drizzle-orm';
import { z } from 'zod';
import type { Db, Tx } from '../../../storage/connect.ts';
import { contacts } from '../../../storage/schema/contacts.ts';
import { organisationTerms } from '../../../storage/schema/organisation-proofs.ts';
import { organisations } from '../../../storage/schema/organisations.ts';
import { CONTACT_TYPES } from '../../organisations/contacts/contact.ts';
import { inputRegistration, registrationOf } from '../../organisations/registration.ts';
import { invalidField } from '../../registry-error.ts';
import { LIVE_STATES } from '../../states.ts';
import {
  type CheckContext,
  iso,
  namedRecord,
  type RecordKind,
  readChildren,
  readRows,
  references,
  type TransferRecord,
  type Which,
} from '../record-kind.ts';
import { each, id, line, lines, moment, participantState, stateColumns, stateOf, word } from '../record-schema.ts';

const MAX_TAGS = 50;

const person = z.strictObject({ kind: z.string().max(32), id: z.string().max(2048), name: z.string().max(2048) });

/** Terms of the authority that it accepted. */
const terms = z.strictObject({
  version: word,
  acceptedBy: line(200),
  acceptedAt: moment,
  recordedBy: person,
  withdrawnAt: moment.nullable(),
  withdrawnBy: person.nullable(),
  withdrawalReason: lines(2000).nullable(),
});

const schema = z.strictObject({
  ...{ id, authorityId: id, legalName: line(200) },
  registration: z.strictObject({ number: line(100), register: line(200), country: z.string() }).nullable(),
  previousId: id.nullable(),
  parentId: id.nullable(),
  tags: each(word, MAX_TAGS),
  state: participantState,
  terms: z.array(terms).max(100),
});

type OrganisationRecord = z.infer<typeof schema>;

export const ORGANISATIONS: RecordKind<OrganisationRecord> = {
  name: 'organisations',
  subjectKind: 'organisation',
  action: 'organisation.import',
  table: organisations,
  schema,
  settings: ['legalName', 'registration', 'parentId', 'tags'],
  restored: ['state'],
  kept: ['terms'],
  nameOf: ({ legalName }) => legalName,
  read: readOrganisationRecords,
  references: ({ authorityId, parentId, previousId }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('organisations', [parentId], '/parentId'),
    ...references('organisations', [previousId], '/previousId'),
  ],
  isHeldBack: ({ state }) => !LIVE_STATES.includes(state.is),
  arriving: (record) => ({ ...record, state: arrivingState(record.state) }),
  check({ registration, previousId }, { known }) {
    inputRegistration(registration);
    requireClosed(known, 'organisations', previousId);
  },
  columns: ({ authorityId, legalName, registration, previousId, parentId, tags, state }) => ({
    ...{ authorityId, legalName, previousId, parentId, tags },
    ...inputRegistration(registration),
    ...stateColumns(state),
  }),
  children: ({ id: organisationId, terms: accepted }) => [
    { table: organisationTerms, by: 'organisationId', rows: accepted.map((one) => ({ organisationId, ...one })) },
  ],
};

/** Who is here waits for his approval; who was closed was somebody here, which one person alone does not say. */
export function arrivingState(state: z.infer<typeof participantState>): z.infer<typeof participantState> {
  if (state.is === 'pending') return state;
  return { ...state, is: 'pending', reason: null, reasonCode: null, until: null };
}

/** @throws RegistryError validation_failed */
export function requireClosed(
  known: CheckContext['known'],
  kind: 'organisations' | 'entities',
  previousId: string | null,
): TransferRecord | undefined {
  const previous = previousId === null ? undefined : namedRecord(known, kind, previousId);
  if (previous === undefined || !isOpenRecord(previous)) return previous;
  throw invalidField('/previousId', 'is no closed record; only such a one is followed by another');
}

export function isOpenRecord(record: TransferRecord): boolean {
  const state = 'state' in record ? participantState.safeParse(record.state).data : undefined;
  return state !== undefined && LIVE_STATES.includes(state.is);
}

async function readOrganisationRecords(db: Db | Tx, which: Which): Promise<OrganisationRecord[]> {
  const rows = await readRows(db, organisations, which);
  const place = { owner: organisationTerms.organisationId, order: organisationTerms.version };
  const accepted = await readChildren(db, organisationTerms, place, rows);
  return rows.map((row) => ({
    ...{ id: row.id, authorityId: row.authorityId, legalName: row.legalName },
    registration: registrationOf(row),
    ...{ previousId: row.previousId, parentId: row.parentId, tags: row.tags },
    state: stateOf(row),
    terms: (accepted.get(row.id) ?? []).map(({ organisationId: _, acceptedAt, withdrawnAt, ...rest }) => ({
      ...rest,
      acceptedAt: acceptedAt.toISOString(),
      withdrawnAt: iso(withdrawnAt),
    })),
  }));
}

const contactSchema = z.strictObject({
  ...{ id, organisationId: id, type: z.enum(CONTACT_TYPES), name: line(200).nullable() },
  email: z.email().max(320),
  pgpFingerprint: z
    .string()
    .regex(/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/, 'is no OpenPGP fingerprint in capitals')
    .nullable(),
});

type ContactRecord = z.infer<typeof contactSchema>;

export const CONTACTS: RecordKind<ContactRecord> = {
  name: 'contacts',
  subjectKind: 'contact',
  action: 'contact.import',
  table: contacts,
  schema: contactSchema,
  settings: ['type', 'name', 'email', 'pgpFingerprint'],
  restored: [],
  kept: [],
  nameOf: ({ email }) => email,
  read: async (db, which) =>
    (await readRows(db, contacts, which, isNull(contacts.removedAt))).map((row) => ({
      ...{ id: row.id, organisationId: row.organisationId, type: row.type, name: row.name },
      ...{ email: row.email, pgpFingerprint: row.pgpFingerprint },
    })),
  references: ({ organisationId }) => references('organisations', [organisationId], '/organisationId'),
  check: () => {},
  // Nobody confirmed what is written here.
  columns: ({ id: _, ...contact }) => ({ ...contact, verifiedAt: null, lastConfirmedAt: null }),
};
