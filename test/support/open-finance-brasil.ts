/** A consumer of Open Finance Brasil's directory, written from its public schema alone: what it checks, and what it looks for. */
import { readFileSync } from 'node:fs';

interface MemberRule {
  is: 'string' | 'boolean' | 'list';
  of?: string;
  min?: number;
  max?: number;
  pattern?: string;
  format?: 'uri' | 'date';
  oneOf?: string[];
  countedOn?: boolean;
}

const FACTS = new URL('../../fixtures/open-finance-brasil/participants.json', import.meta.url);
const { types } = JSON.parse(readFileSync(FACTS, 'utf8')) as { types: Record<string, Record<string, MemberRule>> };

type Json = Record<string, unknown>;

/** What the document has that the schema does not allow, and misses that its consumers count on, by place. */
export function complaintsAbout(document: unknown): string[] {
  if (!Array.isArray(document)) return ['the document is no array'];
  return document.flatMap((participant, index) => ofObject(participant, 'Participant', `/${index}`, ['Holdfast']));
}

function ofObject(value: unknown, type: string, at: string, others: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
  const rules = types[type] ?? {};
  const missing = Object.keys(rules).filter((name) => rules[name]?.countedOn === true && !Object.hasOwn(value, name));
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const rule = rules[name];
    if (rule !== undefined) return ofMember(member, rule, `${at}/${name}`);
    return others.includes(name) ? [] : [`${at}/${name} is not known to that schema`];
  });
  return [...missing.map((name) => `${at}/${name} is missing`), ...wrong];
}

function ofMember(value: unknown, rule: MemberRule, at: string): string[] {
  if (rule.is === 'list') {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((item, index) => ofObject(item, rule.of ?? '', `${at}/${index}`));
  }
  if (typeof value !== rule.is) return [`${at} is no ${rule.is}`];
  return typeof value === 'string' ? ofText(value, rule, at) : [];
}

function ofText(value: string, { min = 0, max = Infinity, pattern, format, oneOf }: MemberRule, at: string): string[] {
  const complaints = [
    value.length < min && 'is too short',
    value.length > max && 'is too long',
    pattern !== undefined && !new RegExp(pattern).test(value) && `does not match ${pattern}`,
    format === 'uri' && !URL.canParse(value) && 'is no URI',
    format === 'date' && !/^\d{4}-\d{2}-\d{2}$/.test(value) && 'is no date',
    oneOf !== undefined && !oneOf.includes(value) && `is none of ${oneOf}`,
  ];
  return complaints.filter((complaint) => complaint !== false).map((complaint) => `${at} ${complaint}`);
}

/** Where a family of APIs is offered by organisations that have a role, as the guide for that file says how to find it. */
export function endpointsOf(document: unknown, wanted: { role: string; family: string; major: number }): string[] {
  const list = (value: unknown) => value as Json[];
  return list(document)
    .filter(({ Status }) => Status === 'Active')
    .filter(({ OrgDomainRoleClaims }) =>
      list(OrgDomainRoleClaims).some(({ Role, Status }) => Role === wanted.role && Status === 'Active'),
    )
    .flatMap(({ AuthorisationServers }) => list(AuthorisationServers))
    .flatMap(({ ApiResources }) => list(ApiResources))
    .filter(({ ApiFamilyType, ApiVersion }) => {
      return ApiFamilyType === wanted.family && String(ApiVersion).startsWith(`${wanted.major}.`);
    })
    .flatMap(({ ApiDiscoveryEndpoints }) => list(ApiDiscoveryEndpoints).map(({ ApiEndpoint }) => String(ApiEndpoint)));
}
