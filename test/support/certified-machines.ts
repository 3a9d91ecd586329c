/** Machines of members, in great numbers: they get certificates with codes, and renew them as EST clients do. */
import { X509Certificate } from 'node:crypto';
import { expect } from 'vitest';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { makeCertificateCode, requestWithCode } from '../../src/registry/certification/certificate-codes.ts';
import type {
  CertificateOutcome,
  TokenlessCertificationContext,
} from '../../src/registry/certification/certificate-request.ts';
import { reenrol } from '../../src/registry/certification/renew-certificate.ts';
import { retireCertificationAuthority } from '../../src/registry/certification/retire-certification-authority.ts';
import { requestDer } from './certificate-requests.ts';
import { certificationAuthority, type TestRoot, testRoot } from './certification.ts';
import {
  type Application,
  type Certificate,
  DAY,
  errandOf,
  type Issuer,
  type Member,
  OVERLAP_DAYS,
  VALIDITY_DAYS,
} from './certified-members.ts';
import { REASON, type TestRegistry } from './registry.ts';
import type { Chance } from './seeded-random.ts';
import type { TestService } from './service.ts';
import { listed } from './trust-lists.ts';

const APPLICATIONS_EACH = 10;
/** One machine in so many forgets to renew. */
const FORGETFUL = 20;
/** Machines begin to work within so many days. */
const SET_UP_DAYS = 14;
/** Machines that ask at the same time. */
const AT_ONCE = 20;
/** Of so many requests for a certificate one is sent once more, as its answer was lost. */
const ANSWERS_LOST = 30;

export class CertifiedMachines {
  readonly happened = { enrolled: 0, renewed: 0, answerLost: 0, endedWithIssuer: 0 };
  readonly members: Member[] = [];
  readonly applications: Application[] = [];
  readonly authority: Authority;
  readonly #service: TestService;
  readonly #chance: Chance;
  readonly #root: TestRoot;
  #issuer: Issuer;

  private constructor(parts: MachineParts) {
    this.#service = parts.service;
    this.authority = parts.authority;
    this.#chance = parts.chance;
    this.#root = parts.root;
    this.#issuer = parts.issuer;
  }

  /** @param issuerDays after which the certificate of their first issuer ends, and all that it issued with it */
  static async begin(service: TestService, chance: Chance, issuerDays: number): Promise<CertifiedMachines> {
    const authority = await service.authority();
    const root = testRoot();
    await listed(service, authority, root.der);
    const issuer = await newIssuer(service, authority, root, issuerDays);
    return new CertifiedMachines({ service, authority, chance, root, issuer });
  }

  get #now(): number {
    return this.#service.clock.now();
  }

  /** Those that have not ended. */
  get certificates(): readonly Certificate[] {
    const issued = this.applications.flatMap(({ certificates }) => certificates);
    return issued.filter(({ notAfter }) => this.#now <= notAfter);
  }

  /** A member with its applications. */
  async join(day: number, registry: TestRegistry = this.#service): Promise<void> {
    const record = await registry.organisation(this.authority);
    const member: Member = { record, state: 'active', suspendedUntil: 0 };
    this.members.push(member);
    for (let count = 0; count < APPLICATIONS_EACH; count++) await this.apply(member, day, registry);
  }

  async apply(member: Member, day: number, registry: TestRegistry = this.#service): Promise<void> {
    const { id } = await registry.entity(member.record);
    const isForgetful = this.applications.length % FORGETFUL === 0;
    const setUpOn = day + this.#chance.between(0, SET_UP_DAYS - 1);
    const state = { state: 'active', suspendedUntil: 0, isExcused: true } as const;
    this.applications.push({ id, member, ...state, setUpOn, isForgetful, certificates: [] });
  }

  /** Each sees what there is to do for it, and does it. */
  async lookAfter(applications: readonly Application[]): Promise<void> {
    await inTurns(applications, (application) => this.#doErrand(application));
  }

  async #doErrand(application: Application): Promise<void> {
    const errand = errandOf(application, this.#now);
    if (errand === 'none') return;
    // Drawn before anything is waited for: which machine is served first is not up to the seed.
    const isAnswerLost = this.#chance.between(1, ANSWERS_LOST) === 1;
    const newest = application.certificates.at(-1);
    if (errand === 'enrol') await this.#enrol(application, isAnswerLost);
    else if (newest !== undefined) await this.#renew(application, newest, isAnswerLost);
  }

  async #enrol(application: Application, isAnswerLost: boolean): Promise<void> {
    const { code } = await makeCertificateCode(this.#service.context(), application.id, { profile: 'client' });
    const request = requestDer();
    await this.#take(application, isAnswerLost, () => requestWithCode(this.#tokenless(), { code, request }));
    this.happened.enrolled++;
  }

  async #renew(application: Application, before: Certificate, isAnswerLost: boolean): Promise<void> {
    const request = requestDer();
    await this.#take(application, isAnswerLost, () => reenrol(this.#tokenless(), { presented: before.id, request }));
    before.supersededAt = this.#now + OVERLAP_DAYS * DAY;
    this.happened.renewed++;
  }

  #tokenless(): TokenlessCertificationContext {
    const { actor: _, ...context } = this.#service.context();
    return { ...context, issueCertificate: this.#service.certification.issueCertificate };
  }

  async #take(application: Application, isAnswerLost: boolean, ask: () => Promise<CertificateOutcome>): Promise<void> {
    const { credential } = await ask();
    if (credential === null) throw new Error(`the request of ${application.id} waits for somebody`);
    if (isAnswerLost) {
      this.happened.answerLost++;
      expect((await ask()).credential?.id).toBe(credential.id);
    }
    const issuer = this.#issuer;
    const { id, serial, x5tS256, certificationAuthorityId, x5c } = credential;
    const certificate = new X509Certificate(Buffer.from(x5c?.[0] ?? '', 'base64'));
    const [notBefore, notAfter] = [certificate.validFromDate, certificate.validToDate].map((at) => at.getTime() / 1000);
    if (serial === null || x5tS256 === null || notBefore === undefined || notAfter === undefined) {
      throw new Error(`${id} is no certificate`);
    }
    expect([certificationAuthorityId, serial]).toEqual([
      issuer.id,
      certificate.serialNumber.toLowerCase().replace(/^0+/, ''),
    ]);
    expect(notAfter).toBe(Math.min(notBefore + VALIDITY_DAYS * DAY - 1, issuer.notAfter));
    if (notAfter === issuer.notAfter) this.happened.endedWithIssuer++;
    const issued: Certificate = {
      ...{ id, serial, x5tS256, issuer, application, notBefore, notAfter, told: new Set() },
      ...{ supersededAt: Number.POSITIVE_INFINITY, isRevoked: false, heldUntil: undefined },
    };
    application.certificates.push(issued);
  }

  /** The first one issues nothing more, and goes on answering for what it issued. */
  async changeIssuer(): Promise<void> {
    await retireCertificationAuthority(this.#service.context(), this.#issuer.id, REASON);
    this.#issuer = await newIssuer(this.#service, this.authority, this.#root);
  }
}

interface MachineParts {
  service: TestService;
  authority: Authority;
  chance: Chance;
  root: TestRoot;
  issuer: Issuer;
}

/** One whose certificate ends after so many days; in 2036 without them. */
async function newIssuer(service: TestService, authority: Authority, root: TestRoot, days?: number): Promise<Issuer> {
  const end = days === undefined ? undefined : new Date((service.clock.now() + days * DAY) * 1000);
  const { id, x5c, notAfter } = await certificationAuthority(service, authority, {
    ...{ root, overlapDays: OVERLAP_DAYS, validityDays: { client: VALIDITY_DAYS } },
    ...(end !== undefined && { notAfter: `${end.toISOString().replaceAll(/\D/g, '').slice(2, 14)}Z` }),
  });
  if (notAfter === null) throw new Error('it has a certificate');
  return { id, certificate: Buffer.from(x5c?.[0] ?? '', 'base64'), notAfter: notAfter.getTime() / 1000 };
}

/** So many at once, the others after them. */
async function inTurns<T>(list: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < list.length; from += AT_ONCE) {
    await Promise.all(list.slice(from, from + AT_ONCE).map(work));
  }
}
