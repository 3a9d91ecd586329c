/** Times of certificates as seconds since the epoch. @see RFC 5280 §4.1.2.5 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, TAG } from '../der.ts';

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * UTCTime stands for 1950 to 2049, GeneralizedTime for any year; both in whole seconds, UTC. A moment before 1970 is
 * refused: it is no date that a certificate has, and a negative number for all who count.
 * @throws CertificateError certificate_malformed, validity_invalid
 */
export function parseTime(value: DerValue | undefined): number {
  const digits = Buffer.from(value?.contents ?? []).toString('latin1');
  const isShort = value?.tag === TAG.utcTime;
  if (value === undefined || (!isShort && value.tag !== TAG.generalizedTime)) {
    throw new CertificateError('certificate_malformed', 'has a date that is no time');
  }
  const full = isShort ? `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}` : digits;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = [
    full.slice(0, 4),
    ...(full.slice(4, 14).match(/../g) ?? []),
  ].map(Number);
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const daysOfMonth = (DAYS_OF_MONTH[month - 1] ?? 0) + (isLeap && month === 2 ? 1 : 0);
  if (day > daysOfMonth) throw new CertificateError('validity_invalid', 'has a date that is in no calendar');
  if (year < 1970) throw new CertificateError('validity_invalid', 'has a date before 1970');
  const leapDays = leapDaysBefore(year) - leapDaysBefore(1970) + (isLeap && month > 2 ? 1 : 0);
  const days = (year - 1970) * 365 + leapDays + (DAYS_BEFORE_MONTH[month - 1] ?? 0) + day - 1;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

function leapDaysBefore(year: number): number {
  const past = year - 1;
  return Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
}
