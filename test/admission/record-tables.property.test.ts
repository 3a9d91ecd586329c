import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CertificateIndex } from '../../src/admission/certificate-index.ts';
import { Grouping, Table } from '../../src/admission/record-tables.ts';
import type { KnownApplication, KnownCertificate } from '../../src/registry/participants/known-participants.ts';
import { certificateWith, PARTICIPANT } from '../support/admission.ts';

const few = fc.constantFrom('a', 'b', 'c');
const application = fc.record({ id: few, authorityId: fc.constantFrom('here', 'there'), name: fc.string() });
const certificate = fc.record({ id: few, applicationId: few, x5tS256: fc.constantFrom('x', 'y') });
const change = fc.oneof(
  application.map((record) => ({ kind: 'application' as const, record: { ...PARTICIPANT, ...record } })),
  certificate.map((record) => ({ kind: 'certificate' as const, record: certificateWith(record) })),
  few.map((id) => ({ kind: 'no application' as const, id })),
  few.map((id) => ({ kind: 'no certificate' as const, id })),
);

it('finds certificates and their applications as look-ups would, in whatever order records come, change and go', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const names = new Grouping<KnownApplication>(({ authorityId }) => authorityId);
      const applications = new Table(names);
      const index = new CertificateIndex(applications);
      const certificates = new Table<KnownCertificate>(index);
      const known = {
        applications: new Map<string, KnownApplication>(),
        certificates: new Map<string, KnownCertificate>(),
      };
      for (const one of changes) {
        if (one.kind === 'application') {
          applications.put(one.record);
          known.applications.set(one.record.id, one.record);
        } else if (one.kind === 'certificate') {
          certificates.put(one.record);
          known.certificates.set(one.record.id, one.record);
        } else if (one.kind === 'no application') {
          applications.remove(one.id);
          known.applications.delete(one.id);
        } else {
          certificates.remove(one.id);
          known.certificates.delete(one.id);
        }

        expect([applications.size, certificates.size]).toEqual([known.applications.size, known.certificates.size]);
        const inOrder = <Kept extends { id: string }>(kept: Map<string, Kept>) =>
          [...kept.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
        for (const id of ['a', 'b', 'c']) {
          expect(applications.get(id)).toBe(known.applications.get(id));
          expect(certificates.get(id)).toBe(known.certificates.get(id));
        }
        for (const authorityId of ['here', 'there']) {
          expect(names.get(authorityId)).toEqual(
            inOrder(known.applications).filter((record) => record.authorityId === authorityId),
          );
          for (const x5tS256 of ['x', 'y']) {
            const found = index.get(x5tS256, authorityId);
            const wanted = inOrder(known.certificates).filter(
              (record) =>
                record.x5tS256 === x5tS256 && known.applications.get(record.applicationId)?.authorityId === authorityId,
            );
            expect(found).toEqual(wanted);
            for (const record of found) {
              expect(index.applicationOf(record)).toBe(known.applications.get(record.applicationId));
            }
          }
        }
        // Held before it went, or made up elsewhere: it leads to whoever has the id now.
        for (const record of known.certificates.values()) {
          expect(index.applicationOf(record)).toBe(known.applications.get(record.applicationId));
        }
      }
    }),
  );
});

it('keeps the place of a record for as long as somebody holds it', () => {
  const table = new Table<{ id: string }>();
  const place = table.hold('a');
  expect(place.record).toBeUndefined();
  expect(table.size).toBe(0);
  const record = { id: 'a' };
  table.put(record);
  expect(place.record).toBe(record);
  expect(table.hold('a')).toBe(place);
  table.remove('a');
  expect(place.record).toBeUndefined();
  table.release('a');
  const again = { id: 'a' };
  table.put(again);
  expect(place.record).toBe(again);

  table.remove('a');
  table.release('a');
  expect(table.hold('a')).not.toBe(place);
});
