/** Members, their machines and certificates as a test knows them: what counts, by rules that are not those of the service. */
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import type { AskedCertificate, AskedIssuer } from './certificate-surfaces.ts';

export const HOUR = 3600;
export const DAY = 24 * HOUR;

export const VALIDITY_DAYS = 90;
export const OVERLAP_DAYS = 7;
/** A machine renews so many days before the end; a forgetful one when it is told that no more than so many are left. */
const RENEWED_DAYS = 14;
const REMINDED_DAYS = 7;
const REMINDER_DAYS = [30, 14, 7, 1];

type State = 'active' | 'suspended' | 'closed';

export interface Member {
  record: Organisation;
  state: State;
  /** Day on which its suspension ends. */
  suspendedUntil: number;
}

export interface Application {
  id: string;
  member: Member;
  state: State;
  suspendedUntil: number;
  /** Day on which its machine begins to work. */
  setUpOn: number;
  isForgetful: boolean;
  /** Whether it was stopped since its machine last looked: what ended meanwhile did not lapse. */
  isExcused: boolean;
  /** The newest one comes last. */
  certificates: Certificate[];
}

/** All times in seconds since the epoch. */
export interface Certificate extends AskedCertificate {
  issuer: Issuer;
  application: Application;
  notBefore: number;
  notAfter: number;
  supersededAt: number;
  isRevoked: boolean;
  /** Day on which its hold ends. */
  heldUntil: number | undefined;
  /** Numbers of days of which its owner was told. */
  told: Set<number>;
}

export interface Issuer extends AskedIssuer {
  notAfter: number;
}

export function isActive({ state, member }: Application): boolean {
  return state === 'active' && member.state === 'active';
}

export function isClosed({ state, member }: Application): boolean {
  return state === 'closed' || member.state === 'closed';
}

/** Whether it may count again: neither at its end, nor taken back, nor with another one in its place. */
export function isOpen({ isRevoked, supersededAt, notAfter }: Certificate, now: number): boolean {
  return !isRevoked && now < supersededAt && now <= notAfter;
}

export function counts(certificate: Certificate, now: number): boolean {
  return isOpen(certificate, now) && certificate.heldUntil === undefined && isActive(certificate.application);
}

/** Whether an application may expect to be let in: somebody stopped it, or its certificate, on purpose otherwise. */
export function isRunning(application: Application, { day, now }: { day: number; now: number }): boolean {
  const newest = application.certificates.at(-1);
  const isHeld = newest !== undefined && newest.heldUntil !== undefined && isOpen(newest, now);
  return isActive(application) && application.setUpOn <= day && !isHeld;
}

export type Errand = 'enrol' | 'renew' | 'none';

/** What a machine that works does about its certificate. */
export function errandOf({ certificates, isForgetful }: Application, now: number): Errand {
  const newest = certificates.at(-1);
  if (newest === undefined || !isOpen(newest, now)) return 'enrol';
  if (newest.heldUntil !== undefined) return 'none';
  const isTold = [...newest.told].some((days) => days <= REMINDED_DAYS);
  const isDue = isForgetful ? isTold : newest.notAfter - now <= RENEWED_DAYS * DAY;
  return isDue ? 'renew' : 'none';
}

/** What is told now of a certificate: the nearest number of days, once; undefined: nothing. */
export function dueReminder(certificate: Certificate, now: number): number | undefined {
  const { application, isRevoked, supersededAt, notBefore, notAfter, told } = certificate;
  if (isClosed(application) || isRevoked || Number.isFinite(supersededAt) || notAfter <= now) return undefined;
  const passed = REMINDER_DAYS.filter((days) => notAfter - days * DAY <= now && notAfter - days * DAY > notBefore);
  const nearest = Math.min(...passed);
  const isSilent = passed.length === 0 || [...told].some((days) => days <= nearest);
  return isSilent ? undefined : nearest;
}
