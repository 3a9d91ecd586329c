/** Who rules over the name: the challenge stands in a file on the host, or in DNS. @see RFC 8615 */
import { and, eq, inArray } from 'drizzle-orm';
import { FederationError } from '../../../federation/errors.ts';
import type { OutboundClient } from '../../../outbound/outbound-client.ts';
import type { LookUpText } from '../../../outbound/text-records.ts';
import { internationalDomain } from '../../../registry/domain-names.ts';
import { isOnOurHost } from '../../../registry/hosting/hosting-place.ts';
import type { EnrolmentFlowStep } from '../../../storage/schema/enrolment-flow.ts';
import { type DomainProofMethod, organisationDomains } from '../../../storage/schema/organisation-proofs.ts';
import { CHALLENGE_PATH } from '../../domain-challenge.ts';
import type { StepResult } from '../enrolment.ts';
import { failed, passed, type StepSubject } from '../step-subject.ts';

export const CHALLENGE_LABEL = '_holdfast-challenge';

/** A file with challenges of many enrolments takes less. */
const MAX_FILE_BYTES = 16 * 1024;

export interface DomainTools {
  outbound: Pick<OutboundClient, 'get'>;
  lookUpText: LookUpText;
}

type DomainSettings = Extract<EnrolmentFlowStep, { step: 'domain' }>;

/** Where a challenge is looked for. */
export interface DomainPlaces {
  /** What is proven: `URL.host` of the entity, or a domain above it. */
  domain: string;
  /** undefined where a file proves nothing: a host answers for itself alone. */
  file: string | undefined;
  /** undefined where there is no name in DNS, such as an address. */
  record: string | undefined;
}

export function domainPlaces(entityIdentifier: string, asked: string | null): DomainPlaces {
  const { origin, host, hostname } = new URL(entityIdentifier);
  const domain = asked ?? host;
  const name = asked ?? hostname;
  return {
    domain,
    file: domain === host ? `${origin}${CHALLENGE_PATH}` : undefined,
    record: isDnsName(name) ? `${CHALLENGE_LABEL}.${name}` : undefined,
  };
}

/** Whether a domain that is to be proven is the host of the entity, or stands above it. */
export function isDomainOf(domain: string, entityIdentifier: string): boolean {
  const { hostname } = new URL(entityIdentifier);
  return isDnsName(domain) && domain.includes('.') && (hostname === domain || hostname.endsWith(`.${domain}`));
}

function isDnsName(name: string): boolean {
  return (
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name) &&
    !/(?:^|\.)localhost$/.test(name)
  );
}

/** What was proven for the organisation before counts, and what is ours needs no proof; else the challenge of this enrolment has to be found. */
export async function checkDomain(
  subject: StepSubject,
  { methods = ['https', 'dns'] }: DomainSettings,
  tools: DomainTools,
): Promise<StepResult> {
  const { enrolment, attempts } = subject;
  const { entityIdentifier, request, challenge } = enrolment;
  if (subject.entity?.enrolment === 'hosted' && isOnOurHost(entityIdentifier, subject.context.hostingSites)) {
    const { host } = new URL(entityIdentifier);
    const detail = `${host} is the host of this service for hosted entities: nobody else publishes there`;
    return passed('domain', { detail, evidence: { ...evidenceOf(entityIdentifier, host, null), hostedHere: true } });
  }
  const known = await provenBefore(subject, methods);
  if (known !== undefined) {
    const { domain, method } = known;
    const detail = `${shown(domain)} was proven by ${WORDS[method]} for this organisation`;
    return passed('domain', { detail, evidence: evidenceOf(entityIdentifier, domain, method) });
  }
  const { domain, ...all } = domainPlaces(entityIdentifier, request.domain);
  const file = methods.includes('https') ? all.file : undefined;
  const record = methods.includes('dns') ? all.record : undefined;
  const todo = instructions(challenge, file, record);
  // Whoever asks for the first time cannot know the challenge yet; a public request was told it before.
  if (attempts('domain') === 0 && enrolment.submittedVia !== 'public')
    return failed('domain', 'domain_unproven', todo, evidenceOf(entityIdentifier, domain, null));
  const tried = [
    ...(file === undefined ? [] : [() => findInFile(tools, file, challenge)]),
    ...(record === undefined ? [] : [() => findInDns(tools, record, challenge)]),
  ];
  const misses: string[] = [];
  for (const attempt of tried) {
    const { method, miss } = await attempt();
    if (miss === undefined) {
      return passed('domain', {
        detail: `${shown(domain)} is proven by ${WORDS[method]}`,
        evidence: evidenceOf(entityIdentifier, domain, method),
        wouldChange: { organisationDomain: { domain, method } },
      });
    }
    misses.push(miss);
  }
  return failed('domain', 'domain_unproven', [...misses, todo].join('; '), evidenceOf(entityIdentifier, domain, null));
}

const WORDS: Readonly<Record<DomainProofMethod, string>> = { https: 'a file on the host', dns: 'a DNS record' };

interface Attempt {
  method: DomainProofMethod;
  /** Why it was not found; undefined when it was. */
  miss?: string;
}

async function findInFile({ outbound }: DomainTools, file: string, challenge: string): Promise<Attempt> {
  const method = 'https' as const;
  try {
    const { status, body } = await outbound.get(file, { accept: ['text/plain'], maxResponseBytes: MAX_FILE_BYTES });
    if (status !== 200) return { method, miss: `${file} answers with status ${status}` };
    const lines = new TextDecoder()
      .decode(body)
      .split(/\r?\n/)
      .map((line) => line.trim());
    return lines.includes(challenge) ? { method } : { method, miss: `${file} does not have the challenge` };
  } catch (error) {
    return { method, miss: missOf(error) };
  }
}

async function findInDns({ lookUpText }: DomainTools, record: string, challenge: string): Promise<Attempt> {
  const method = 'dns' as const;
  try {
    const texts = await lookUpText(record);
    return texts.includes(challenge) ? { method } : { method, miss: `no TXT record of ${record} is the challenge` };
  } catch (error) {
    return { method, miss: missOf(error) };
  }
}

function missOf(error: unknown): string {
  if (error instanceof FederationError) return `${error.reason}: ${error.message}`;
  throw error;
}

function instructions(challenge: string, file: string | undefined, record: string | undefined): string {
  const ways = [
    ...(file === undefined ? [] : [`in a line of ${file}`]),
    ...(record === undefined ? [] : [`as TXT record of ${record}`]),
  ];
  if (ways.length === 0) return 'this name can be proven in no way that the authority accepts; ask it';
  return `publish ${challenge} ${ways.join(', or ')}; then run the step again`;
}

/** A file answers for its host alone; a DNS record for the domain and all below it, on every port. */
async function provenBefore(
  { context, organisation, enrolment }: StepSubject,
  methods: readonly DomainProofMethod[],
): Promise<{ domain: string; method: DomainProofMethod } | undefined> {
  if (organisation === undefined) return undefined;
  const { host, hostname } = new URL(enrolment.entityIdentifier);
  const labels = hostname.split('.');
  const above = labels.map((_, index) => labels.slice(index).join('.'));
  const rows = await context.db
    .select({ domain: organisationDomains.domain, method: organisationDomains.method })
    .from(organisationDomains)
    .where(
      and(
        eq(organisationDomains.organisationId, organisation.id),
        inArray(organisationDomains.domain, [host, ...above]),
      ),
    )
    .orderBy(organisationDomains.domain, organisationDomains.method);
  return rows.find(({ domain, method }) => methods.includes(method) && (method === 'dns' || domain === host));
}

function evidenceOf(
  entityIdentifier: string,
  domain: string,
  method: DomainProofMethod | null,
): StepResult['evidence'] {
  const international = internationalDomain(new URL(entityIdentifier).hostname);
  return { domain, method, ...(international !== null && { internationalDomain: { ...international } }) };
}

/** With what people read, where that is something else. */
function shown(domain: string): string {
  const international = internationalDomain(domain.replace(/:\d+$/, ''));
  if (international === null) return domain;
  const { unicode, scripts, isMixed } = international;
  const scriptText = isMixed
    ? `mixes ${scripts.join(' and ')} letters: look twice`
    : `${scripts.join(' and ')} letters`;
  return `${domain} (${unicode}, ${scriptText})`;
}
