/** More than a year of machines that get, renew and lose certificates of our own certification authority. */
import { count, eq, sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { isLive } from '../../src/registry/credentials/credential-standing.ts';
import { holdCredential } from '../../src/registry/credentials/hold-credential.ts';
import { remindOfExpiry } from '../../src/registry/credentials/remind-of-expiry.ts';
import { revokeCredential } from '../../src/registry/credentials/revoke-credential.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { certificateReminders } from '../../src/storage/schema/certificate-requests.ts';
import { credentials } from '../../src/storage/schema/credentials.ts';
import { entities } from '../../src/storage/schema/entities.ts';
import { organisations } from '../../src/storage/schema/organisations.ts';
import { CertificateSurfaces } from './certificate-surfaces.ts';
import { CertifiedMachines } from './certified-machines.ts';
import {
  type Application,
  type Certificate,
  counts,
  dueReminder,
  errandOf,
  HOUR,
  isActive,
  isClosed,
  isOpen,
  isRunning,
  type Member,
} from './certified-members.ts';
import type { DATABASE_KINDS } from './databases.ts';
import { enforcementPoint } from './enforcement-points.ts';
import { REASON, TestRegistry } from './registry.ts';
import { type Chance, chance } from './seeded-random.ts';
import { startTestService, type TestService } from './service.ts';

/** Certificates asked about every day beside those that something happened to; every so many days all are. */
const SAMPLE = 10;
const ALL_EVERY_DAYS = 20;

/** How often each happens to one of a hundred applications in a day, on average. */
const RATES = { suspended: 0.1, closed: 0.016, memberSuspended: 0.012, held: 0.08, revoked: 0.04 };

/** The last day of the first issuer, and when another one takes its place; a certificate of its last weeks ends with it. */
const FIRST_ISSUER_DAYS = 300;
const ISSUER_CHANGES_ON = 240;

/**
 * Machines renew by the verb of `simplereenroll`; applications, organisations and certificates are stopped and let on by
 * chance. After each change, and every day, what the service says is compared with what certified-members.ts says.
 */
export async function liveThroughCertifiedDays(
  kind: (typeof DATABASE_KINDS)[number],
  { days, applications }: { days: number; applications: number },
): Promise<Happened> {
  await using year = await CertifiedYear.begin(await startTestService(kind), applications);
  const plan = new Map([
    [100, () => year.restart()],
    [120, () => year.closeMember('withdraw', 120)],
    [ISSUER_CHANGES_ON, () => year.machines.changeIssuer()],
    [250, () => year.restart()],
    [260, () => year.closeMember('revoke', 260)],
  ]);
  for (let day = 0; day < days; day++) {
    await year.morning(day);
    await plan.get(day)?.();
    await year.evening(day);
  }
  expect(year.failures).toEqual([]);
  expect(year.service.failures).toEqual([]);
  await year.expectEachReminderOnce();
  // Otherwise something was not tried.
  const { listsSeen, asked } = year.surfaces;
  const happened = { ...year.happened, ...year.machines.happened, listsSeen, asked };
  expect(Object.entries(happened).filter(([, times]) => times === 0)).toEqual([]);
  expect(happened.renewed).toBeGreaterThan(4 * applications);
  return happened;
}

/** How often each did. */
type Happened = Readonly<Record<string, number>>;

class CertifiedYear implements AsyncDisposable {
  readonly service: TestService;
  readonly failures: string[] = [];
  readonly happened = {
    ...{ superseded: 0, reminded: 0, closed: 0, suspended: 0, reinstated: 0, memberSuspended: 0 },
    ...{ held: 0, released: 0, revoked: 0 },
  };
  readonly machines: CertifiedMachines;
  readonly surfaces: CertificateSurfaces;
  readonly #chance: Chance;

  private constructor(parts: YearParts) {
    this.service = parts.service;
    this.machines = parts.machines;
    this.#chance = parts.chance;
    this.surfaces = new CertificateSurfaces(parts.service, parts.pointId);
  }

  static async begin(service: TestService, applications: number): Promise<CertifiedYear> {
    const seeded = chance(8);
    const machines = await CertifiedMachines.begin(service, seeded, FIRST_ISSUER_DAYS);
    const { point } = await enforcementPoint(service, machines.authority);
    // The service reads them all at once, rather than to follow each of so many changes.
    const registry = new TestRegistry(service.database);
    while (machines.applications.length < applications) await machines.join(0, registry);
    await service.restart();
    return new CertifiedYear({ service, machines, chance: seeded, pointId: point.id });
  }

  get #now(): number {
    return this.service.clock.now();
  }

  /** At nine jobs run, and then machines look after their certificates; what is superseded at its time is so by now. */
  async morning(day: number): Promise<void> {
    this.service.clock.advance(9 * HOUR);
    this.#noteLapses(day);
    const superseded = this.machines.certificates.filter(({ supersededAt }) => supersededAt === this.#now);
    this.happened.superseded += superseded.length;
    await this.#compare(`day ${day}, superseded just now`, superseded);
    await this.#runJobs(day);
    const running = this.machines.applications.filter((application) => isRunning(application, { day, now: this.#now }));
    await this.machines.lookAfter(running);
    for (const application of running) application.isExcused = false;
  }

  /** At midnight others intervene; whoever lost a certificate for good gets another one, and all is compared. */
  async evening(day: number): Promise<void> {
    this.service.clock.advance(15 * HOUR);
    this.#noteLapses(day);
    await this.#endWhatIsDue(day);
    await this.#intervene(day);
    const bereft = this.machines.applications.filter(
      (application) => isRunning(application, { day, now: this.#now }) && errandOf(application, this.#now) === 'enrol',
    );
    await this.machines.lookAfter(bereft);
    await this.service.publishRevocationLists();
    const isAll = day % ALL_EVERY_DAYS === ALL_EVERY_DAYS - 1;
    await this.#compare(
      `day ${day}`,
      isAll ? this.machines.certificates : this.#chance.some(this.machines.certificates, SAMPLE),
    );
    await this.#compareLive(day);
  }

  /** Nobody who is to be let in is without a certificate that counts. */
  #noteLapses(day: number): void {
    for (const application of this.machines.applications) {
      if (application.isExcused || !isRunning(application, { day, now: this.#now })) continue;
      if (application.certificates.some((certificate) => counts(certificate, this.#now))) continue;
      this.failures.push(`day ${day}: ${application.id} has no certificate any more`);
    }
  }

  /** What counts in the registry, of all that there are, is what is to count. */
  async #compareLive(day: number): Promise<void> {
    const rows = await this.service.db
      .select({ id: credentials.id, entityId: credentials.entityId })
      .from(credentials)
      .innerJoin(entities, eq(entities.id, credentials.entityId))
      .innerJoin(organisations, eq(organisations.id, entities.organisationId))
      .where(isLive(new Date(this.#now * 1000)));
    const expected = this.machines.certificates.filter((certificate) => counts(certificate, this.#now));
    const [ids, expectedIds] = [new Set(rows.map(({ id }) => id)), new Set(expected.map(({ id }) => id))];
    for (const id of ids.symmetricDifference(expectedIds)) {
      this.failures.push(`day ${day}: ${id} ${ids.has(id) ? 'counts' : 'does not count'} in the registry`);
    }
    const admitted = new Set(rows.map(({ entityId }) => entityId));
    for (const application of this.machines.applications) {
      const { id } = application;
      const isExpected = isRunning(application, { day, now: this.#now });
      if (isExpected && !admitted.has(id)) this.failures.push(`day ${day}: ${id} has no certificate`);
      if (isClosed(application) && admitted.has(id)) this.failures.push(`day ${day}: one of ${id} outlived it`);
    }
  }

  /**
   * The list, OCSP, admission and the registry say the same of each, and what is to be said. In the last second of an
   * issuer, and of what ends with it, OCSP says nothing: no answer could be good for any time.
   */
  async #compare(when: string, certificates: readonly Certificate[]): Promise<void> {
    const valid = certificates.filter(({ notAfter }) => this.#now < notAfter);
    const said = await this.surfaces.ask(valid);
    for (const certificate of valid) {
      const answers = said.get(certificate.id);
      const expected = counts(certificate, this.#now);
      const areSame = answers?.list === answers?.registry && answers?.ocsp === answers?.registry;
      const isSo = (answers?.registry === 'good') === expected;
      if (areSame && isSo && answers?.isLive === expected && answers.isAdmitted === expected) continue;
      this.failures.push(`${when}: ${certificate.id} is ${expected ? 'good' : 'not good'}, ${JSON.stringify(answers)}`);
    }
  }

  async #runJobs(day: number): Promise<void> {
    const expected = this.machines.certificates.flatMap((certificate) => {
      const days = dueReminder(certificate, this.#now);
      if (days !== undefined) certificate.told.add(days);
      return days === undefined ? [] : [`${certificate.id} ${days}`];
    });
    while ((await remindOfExpiry(this.service.context())) > 0);
    await this.service.keepDates();
    await this.service.certification.ocspSigners.renew(AbortSignal.timeout(60_000));
    await this.service.publishRevocationLists();
    const told = await this.service.db
      .select({ id: certificateReminders.credentialId, days: certificateReminders.days })
      .from(certificateReminders)
      .where(eq(certificateReminders.toldAt, new Date(this.#now * 1000)));
    this.happened.reminded += told.length;
    const difference = new Set(expected).symmetricDifference(new Set(told.map(({ id, days }) => `${id} ${days}`)));
    for (const reminder of difference) this.failures.push(`day ${day}: ${reminder} days was told, or was not`);
  }

  async #endWhatIsDue(day: number): Promise<void> {
    for (const member of this.machines.members) {
      if (member.state === 'suspended' && member.suspendedUntil <= day) {
        await transitionOrganisation(this.service.context(), member.record.id, 'reinstate', REASON);
        member.state = 'active';
        await this.#changed(day, 'organisation reinstated', this.#ofMember(member));
      }
    }
    for (const application of this.machines.applications) {
      const isDue = application.state === 'suspended' && application.suspendedUntil <= day;
      if (!isDue || isClosed(application)) continue;
      await transitionEntity(this.service.context(), application.id, 'reinstate', REASON);
      application.state = 'active';
      this.happened.reinstated++;
      await this.#changed(day, 'reinstated', [application]);
    }
    for (const certificate of this.machines.certificates) {
      const { heldUntil, application } = certificate;
      if (heldUntil === undefined || heldUntil > day || isClosed(application) || !isOpen(certificate, this.#now))
        continue;
      if (this.#chance.between(1, 4) === 1) await this.#revoke(certificate);
      else {
        await holdCredential(this.service.context(), certificate.id, 'release', REASON);
        this.happened.released++;
      }
      certificate.heldUntil = undefined;
      await this.#changed(day, 'released or revoked', [application]);
    }
  }

  async #intervene(day: number): Promise<void> {
    for (let times = this.#times('suspended'); times > 0; times--) {
      const application = this.#someApplication();
      await transitionEntity(this.service.context(), application.id, 'suspend', REASON);
      Object.assign(application, { state: 'suspended', suspendedUntil: day + this.#chance.between(1, 40) });
      this.happened.suspended++;
      await this.#changed(day, 'suspended', [application]);
    }
    for (let times = this.#times('closed'); times > 0; times--) {
      const application = this.#someApplication();
      const transition = this.#chance.of(['withdraw', 'revoke'] as const) ?? 'revoke';
      await transitionEntity(this.service.context(), application.id, transition, REASON);
      application.state = 'closed';
      this.happened.closed++;
      await this.#changed(day, 'closed', [application]);
      await this.machines.apply(application.member, day);
    }
    for (let times = this.#times('memberSuspended'); times > 0; times--) {
      const member = this.#someMember();
      await transitionOrganisation(this.service.context(), member.record.id, 'suspend', REASON);
      Object.assign(member, { state: 'suspended', suspendedUntil: day + this.#chance.between(1, 6) });
      this.happened.memberSuspended++;
      await this.#changed(day, 'organisation suspended', this.#ofMember(member));
    }
    for (let times = this.#times('held'); times > 0; times--) {
      const certificate = this.#someCertificate();
      await holdCredential(this.service.context(), certificate.id, 'hold', REASON);
      certificate.heldUntil = day + this.#chance.between(1, 6);
      this.happened.held++;
      await this.#changed(day, 'held', [certificate.application]);
    }
    for (let times = this.#times('revoked'); times > 0; times--) {
      const certificate = this.#someCertificate();
      await this.#revoke(certificate);
      await this.#changed(day, 'revoked', [certificate.application]);
    }
  }

  async #revoke(certificate: Certificate): Promise<void> {
    const reasonCode = this.#chance.of(['key_compromise', 'affiliation_changed', 'unspecified'] as const);
    await revokeCredential(this.service.context(), certificate.id, {
      reasonCode: reasonCode ?? 'unspecified',
      reason: REASON,
    });
    certificate.isRevoked = true;
    this.happened.revoked++;
  }

  /** What the service says is so as soon as a change of it was answered. */
  async #changed(day: number, what: string, changed: readonly Application[]): Promise<void> {
    for (const application of changed) application.isExcused = true;
    await this.#compare(
      `day ${day}, ${what}`,
      changed.flatMap(({ certificates }) => certificates),
    );
  }

  #times(what: keyof typeof RATES): number {
    return this.#chance.times((RATES[what] * this.machines.applications.length) / 100);
  }

  #ofMember(member: Member): Application[] {
    return this.machines.applications.filter((application) => application.member === member);
  }

  #someApplication(): Application {
    return this.#some(this.machines.applications.filter(isActive));
  }

  #someMember(): Member {
    return this.#some(this.machines.members.filter(({ state }) => state === 'active'));
  }

  #someCertificate(): Certificate {
    return this.#some(this.machines.certificates.filter((certificate) => counts(certificate, this.#now)));
  }

  #some<T>(list: readonly T[]): T {
    const one = this.#chance.of(list);
    if (one === undefined) throw new Error('there is none left');
    return one;
  }

  /** A member leaves, or is expelled, with all that it has; another one comes. */
  async closeMember(transition: 'withdraw' | 'revoke', day: number): Promise<void> {
    const member = this.#someMember();
    await transitionOrganisation(this.service.context(), member.record.id, transition, REASON);
    member.state = 'closed';
    await this.#changed(day, 'organisation closed', this.#ofMember(member));
    await this.machines.join(day);
  }

  async restart(): Promise<void> {
    await this.surfaces.disconnect();
    await this.service.restart();
  }

  /** In the audit as well, from which the events are made. */
  async expectEachReminderOnce(): Promise<void> {
    const days = sql<string>`${audit.after} ->> 'days'`;
    const told = await this.service.db
      .select({ id: audit.subjectId, days, times: count() })
      .from(audit)
      .where(eq(audit.action, 'credential.remind'))
      .groupBy(audit.subjectId, days);
    expect(told.filter(({ times }) => times !== 1)).toEqual([]);
    expect(told).toHaveLength(this.happened.reminded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.surfaces[Symbol.asyncDispose]();
    await this.service[Symbol.asyncDispose]();
  }
}

interface YearParts {
  service: TestService;
  machines: CertifiedMachines;
  chance: Chance;
  pointId: string;
}
