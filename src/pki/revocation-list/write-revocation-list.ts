/** Writes what is signed of a list of revocations. @see RFC 5280 §5.1.2, §5.2, §5.3 */
import {
  type Der,
  enumerated,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  tagged,
  time,
  unsignedInteger,
} from '../der-writer.ts';
import type { X509Algorithm } from '../signed/linted-der.ts';
import { ALGORITHM_IDENTIFIERS } from '../signed/signed-der.ts';
import { LIST_EXTENSION } from './list-extensions.ts';
import { CRL_REASON, type CrlReason } from './revocation-reason.ts';

export interface RevokedEntry {
  /** In hexadecimal without leading zeros; of a number above 0. */
  serial: string;
  reason: CrlReason;
  /** Whole seconds since the epoch. */
  revokedAt: number;
}

export interface RevocationListPlan {
  /** Of the key that signs it. */
  alg: X509Algorithm;
  /** DER of the issuer's name, as its certificate has it. */
  issuer: Der;
  /** The identifier of the issuer's key, as its certificate has it. */
  authorityKeyIdentifier: Uint8Array;
  /** Above those of all lists before it. */
  number: number;
  /** Whole seconds since the epoch. */
  thisUpdate: number;
  nextUpdate: number;
  /** See writeEntries. */
  entries: Der;
}

const VERSION_2 = integer(1);

/** @returns DER of a TBSCertList; to be linted before it is signed */
export function writeTbsRevocationList(plan: RevocationListPlan): Der {
  const { alg, issuer, authorityKeyIdentifier, number, thisUpdate, nextUpdate, entries } = plan;
  const extensions = [
    extension(LIST_EXTENSION.authorityKeyIdentifier, sequence(implicit(0, authorityKeyIdentifier))),
    extension(LIST_EXTENSION.number, integer(number)),
  ];
  return sequence(
    VERSION_2,
    ALGORITHM_IDENTIFIERS[alg],
    issuer,
    time(thisUpdate),
    time(nextUpdate),
    // An empty one is left out (RFC 5280 §5.1.2.6).
    ...(entries.length === 0 ? [] : [tagged(0x30, entries)]),
    explicit(0, sequence(...extensions)),
  );
}

/**
 * By serial number, the lowest first, so that the same entries are the same bytes.
 * @returns one entry after the other; of no entries, no bytes
 */
export function writeEntries(entries: readonly RevokedEntry[]): Der {
  const written = entries.map((entry) => ({ serial: serialBytes(entry.serial), entry }));
  // As INTEGER they begin with their length, so that the order of the bytes is that of the numbers.
  written.sort((a, b) => Buffer.compare(a.serial, b.serial));
  return Buffer.concat(written.map(({ serial, entry }) => writeEntry(serial, entry)));
}

function writeEntry(serial: Der, { reason, revokedAt }: RevokedEntry): Der {
  // Without a reason it says `unspecified`, and shall not say so otherwise (RFC 5280 §5.3.1).
  return reason === CRL_REASON.unspecified
    ? sequence(serial, time(revokedAt))
    : sequence(serial, time(revokedAt), REASONS[reason]);
}

function serialBytes(hex: string): Der {
  return unsignedInteger(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
}

function extension(type: string, value: Der): Der {
  return sequence(oid(type), octetString(value));
}

/** The extensions of an entry. */
const REASONS = Object.fromEntries(
  Object.values(CRL_REASON).map((reason) => [reason, sequence(extension(LIST_EXTENSION.reason, enumerated(reason)))]),
) as Readonly<Record<CrlReason, Der>>;
