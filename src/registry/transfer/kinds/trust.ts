/** Whom authorities believe, in an export: Trust Anchors of others with their pinned keys, and trust lists. */
import { isNull } from 'drizzle-orm';
import { z } from 'zod';
import { formatName } from '../../../pki/names/name-string.ts';
import type { PathCertificate } from '../../../pki/path/path-certificate.ts';
import { readNewAnchor } from '../../../pki/path/trust-anchors.ts';
import { trustAnchors } from '../../../storage/schema/trust-anchors.ts';
import { trustListEntries } from '../../../storage/schema/trust-list-entries.ts';
import { asField } from '../../certificate-input.ts';
import { inputIdentifier, inputJwkSet } from '../../claims-input.ts';
import { TRUST_LIST_PURPOSES } from '../../trust-lists/trust-list-entry.ts';
import { type RecordKind, readRows, references } from '../record-kind.ts';
import { id, jwks, line, url } from '../record-schema.ts';

const anchorSchema = z.strictObject({ id, authorityId: id, entityIdentifier: url, jwks });

export const TRUST_ANCHORS: RecordKind<z.infer<typeof anchorSchema>> = {
  name: 'trustAnchors',
  subjectKind: 'trust_anchor',
  action: 'trust_anchor.import',
  table: trustAnchors,
  schema: anchorSchema,
  settings: ['jwks'],
  restored: [],
  kept: [],
  nameOf: ({ entityIdentifier }) => entityIdentifier,
  read: async (db, which) =>
    (await readRows(db, trustAnchors, which)).map(({ version: _, createdAt: __, ...anchor }) => anchor),
  references: ({ authorityId }) => references('authorities', [authorityId], '/authorityId'),
  check(record, context) {
    inputIdentifier(record.entityIdentifier, context, '/entityIdentifier');
    inputJwkSet(record.jwks, '/jwks');
  },
  columns: ({ id: _, ...anchor }) => anchor,
};

const entrySchema = z.strictObject({
  ...{ id, authorityId: id, purpose: z.enum(TRUST_LIST_PURPOSES), name: line(2000) },
  /** Base64 of its DER. */
  certificate: z.string().min(1).max(24_000),
});

type EntryRecord = z.infer<typeof entrySchema>;

export const TRUST_LIST_ENTRIES: RecordKind<EntryRecord> = {
  name: 'trustListEntries',
  subjectKind: 'trust_list_entry',
  action: 'trust_list_entry.import',
  table: trustListEntries,
  schema: entrySchema,
  settings: ['name'],
  restored: [],
  kept: [],
  nameOf: ({ name }) => name,
  read: async (db, which) =>
    (await readRows(db, trustListEntries, which, isNull(trustListEntries.removedAt))).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, purpose: row.purpose, name: row.name },
      certificate: row.certificate,
    })),
  references: ({ authorityId }) => references('authorities', [authorityId], '/authorityId'),
  check(record) {
    readEntry(record);
  },
  columns({ authorityId, purpose, name, certificate }) {
    const { x5tS256, subject, notBefore, notAfter } = readEntry({ certificate });
    return {
      ...{ authorityId, purpose, name, certificate, x5tS256, subject: formatName(subject, 'readable') },
      ...{ notBefore: new Date(notBefore * 1000), notAfter: new Date(notAfter * 1000) },
    };
  },
};

function readEntry({ certificate }: Pick<EntryRecord, 'certificate'>): PathCertificate {
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;
  return asField('/certificate', () => readNewAnchor(pem));
}
