/** Authorities, what they issue, what stands in it, and openssl's verdict about it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPath, type PathQuestion } from '../../src/pki/path/find-path.ts';
import type { PathPurpose } from '../../src/pki/path/path-purpose.ts';
import type { PolicyDemand } from '../../src/pki/path/policies.ts';
import { readTrustAnchors } from '../../src/pki/path/trust-anchors.ts';
import {
  type CertificatePlan,
  certificate,
  DIGITAL_SIGNATURE,
  der,
  distinguishedName,
  ecKey,
  extendedKeyUsage,
  type KeyPair,
  keyUsage,
  oid,
  pem,
  sequence,
  type TestExtension,
} from './certificates.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** 2027-01-15, within what `certificate` makes unless told otherwise. */
export const NOW = 1_799_971_200;

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CERTIFICATE_SIGNING = keyUsage(0x06, 1);

export interface Authority {
  key: KeyPair;
  name: Buffer;
  der: Buffer;
}

export type AuthorityPlan = Omit<CertificatePlan, 'issuer' | 'key'> & { key?: KeyPair; maxPathLength?: number };

/** One that signs itself. */
export function root(plan: AuthorityPlan = {}): Authority {
  const key = plan.key ?? ecKey();
  const name = plan.subject ?? distinguishedName({ O: 'Root' });
  return { key, name, der: certificate({ ...plan, key, subject: name, extensions: authorityExtensions(plan) }) };
}

/** One below another; `extensions` come beside basic constraints and key usage, unless those are among them. */
export function below(issuer: Authority, plan: AuthorityPlan = {}): Authority {
  const key = plan.key ?? ecKey();
  const name = plan.subject ?? distinguishedName({ O: 'Intermediate' });
  const made = certificate({ ...plan, key, issuer, subject: name, extensions: authorityExtensions(plan) });
  return { key, name, der: made };
}

/** A certificate for clients, unless told otherwise. */
export function leafOf(issuer: Authority, plan: Omit<CertificatePlan, 'issuer'> = {}): Buffer {
  return certificate({ key: LEAF_KEY, ...plan, issuer });
}

/** A leaf with extensions beside those of a client. */
export function leafWith(issuer: Authority, ...extensions: TestExtension[]): Buffer {
  return leafOf(issuer, { extensions: [DIGITAL_SIGNATURE, extendedKeyUsage(CLIENT_AUTH), ...extensions] });
}

const LEAF_KEY = ecKey();

function authorityExtensions({ extensions = [], maxPathLength }: AuthorityPlan): TestExtension[] {
  const given = new Set(extensions.map(({ type }) => type));
  const usual = [basicConstraints(true, maxPathLength), CERTIFICATE_SIGNING];
  return [...usual.filter(({ type }) => !given.has(type)), ...extensions];
}

const TRUE = der(0x01, [0xff]);

export function basicConstraints(isAuthority: boolean, maxPathLength?: number): TestExtension {
  const parts = [...(isAuthority ? [TRUE] : []), ...(maxPathLength === undefined ? [] : [der(0x02, [maxPathLength])])];
  return { type: '2.5.29.19', critical: true, value: sequence(...parts) };
}

export const generalName = {
  email: (text: string) => der(0x81, Buffer.from(text)),
  dns: (text: string) => der(0x82, Buffer.from(text)),
  directory: (name: Buffer) => der(0xa4, name),
  uri: (text: string) => der(0x86, Buffer.from(text)),
  ip: (...bytes: number[]) => der(0x87, bytes),
  /** Such as a name of Microsoft's. */
  other: () => der(0xa0, oid('1.3.6.1.4.1.311.20.2.3'), der(0xa0, der(0x0c, Buffer.from('a')))),
};

export function alternativeNames(...names: Buffer[]): TestExtension {
  return { type: '2.5.29.17', value: sequence(...names) };
}

export function nameConstraints({
  permitted = [],
  excluded = [],
}: {
  permitted?: Buffer[];
  excluded?: Buffer[];
}): TestExtension {
  const subtrees = (tag: number, bases: Buffer[]): Buffer[] =>
    bases.length === 0 ? [] : [der(tag, ...bases.map((base) => sequence(base)))];
  return {
    type: '2.5.29.30',
    critical: true,
    value: sequence(...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)),
  };
}

export function subjectKeyId(id: number): TestExtension {
  return { type: '2.5.29.14', value: der(0x04, [id]) };
}

export function authorityKeyId(id: number): TestExtension {
  return { type: '2.5.29.35', value: sequence(der(0x80, [id])) };
}

export const ANY_POLICY = '2.5.29.32.0';

export function policies(...types: string[]): TestExtension {
  return { type: '2.5.29.32', value: sequence(...types.map((type) => sequence(oid(type)))) };
}

export function policyMappings(...pairs: (readonly [issuer: string, subject: string])[]): TestExtension {
  const value = sequence(...pairs.map(([issuer, subject]) => sequence(oid(issuer), oid(subject))));
  return { type: '2.5.29.33', critical: true, value };
}

export function policyConstraints({ explicit, mapping }: { explicit?: number; mapping?: number }): TestExtension {
  const parts = [
    ...(explicit === undefined ? [] : [der(0x80, [explicit])]),
    ...(mapping === undefined ? [] : [der(0x81, [mapping])]),
  ];
  return { type: '2.5.29.36', critical: true, value: sequence(...parts) };
}

export function inhibitAnyPolicy(skip: number): TestExtension {
  return { type: '2.5.29.54', critical: true, value: der(0x02, [skip]) };
}

/** What is asked of both. */
export interface PathCase {
  leaf: Buffer;
  intermediates?: Buffer[];
  anchors: Buffer[];
  purpose?: PathPurpose | null;
  now?: number;
  policies?: PolicyDemand;
}

export function question({ leaf, intermediates = [], anchors, purpose, now, policies }: PathCase): PathQuestion {
  const read = readTrustAnchors(anchors.map((der) => new Uint8Array(der)));
  return {
    leaf: new Uint8Array(leaf),
    intermediates: intermediates.map((der) => new Uint8Array(der)),
    anchors: read,
    purpose: purpose === undefined ? 'clientAuth' : purpose,
    now: now ?? NOW,
    policies,
  };
}

/** `valid`, or the reason and where: `certificate_expired leaf`. */
export function ourVerdict(asked: PathCase): string {
  const outcome = findPath(question(asked));
  if (!('refusal' in outcome)) return 'valid';
  const { reason, certificate: place } = outcome.refusal;
  return `${reason} ${place.from === 'leaf' ? 'leaf' : `${place.from}[${place.index}]`}`;
}

const OPENSSL_PURPOSE: Readonly<Record<PathPurpose, string>> = {
  clientAuth: 'sslclient',
  serverAuth: 'sslserver',
  emailProtection: 'smimesign',
  signing: 'any',
};

/** `valid`, or what `openssl verify` says. Level 2 of security is SHA-2 and RSA of 2048 bits, as here. */
export function opensslVerdict(asked: PathCase, folder: string): string {
  const { leaf, intermediates = [], anchors, purpose = 'clientAuth', now = NOW, policies: demand = {} } = asked;
  const file = (name: string, certificates: Buffer[]): string => {
    const path = join(folder, name);
    writeFileSync(path, pem(...certificates));
    return path;
  };
  const { accepted, requirePolicies, inhibitMapping, inhibitAnyPolicy: inhibitAny } = demand;
  const options = [
    ...['verify', '-partial_chain', '-no-CApath', '-no-CAstore', '-auth_level', '2', '-attime', String(now)],
    ...['-CAfile', file('anchors.pem', anchors)],
    ...(intermediates.length === 0 ? [] : ['-untrusted', file('intermediates.pem', intermediates)]),
    ...(purpose === null ? [] : ['-purpose', OPENSSL_PURPOSE[purpose]]),
    ...(asked.policies === undefined ? [] : ['-policy_check']),
    // Without one, openssl accepts none.
    ...(asked.policies === undefined ? [] : (accepted ?? [ANY_POLICY])).flatMap((policy) => ['-policy', policy]),
    ...((requirePolicies ?? accepted !== undefined) ? ['-explicit_policy'] : []),
    ...(inhibitMapping === true ? ['-inhibit_map'] : []),
    ...(inhibitAny === true ? ['-inhibit_any'] : []),
    file('leaf.pem', [leaf]),
  ];
  try {
    execFileSync('openssl', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return 'valid';
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    return /^error (.*)$/m.exec(stderr)?.[1] ?? (stderr.trim().split('\n').at(-1) || 'refused');
  }
}

export const ROOT = root();
export const CA = below(ROOT);
export const CHAIN = { intermediates: [CA.der], anchors: [ROOT.der] };

/** A leaf below an authority below the root. */
export function chain(authority: Authority, leaf: Buffer = leafOf(authority)): PathCase {
  return { leaf, intermediates: [authority.der], anchors: [ROOT.der] };
}

/** Name, what is asked, our verdict, and why openssl has another, if it has. */
export type PathRow = readonly [name: string, asked: PathCase, ours: string, deviation?: string];

/** Tests of groups of paths: our verdict is the one stated, and openssl takes and refuses the same but where stated. */
export function judgeBeside(groups: Readonly<Record<string, readonly PathRow[]>>): void {
  const folder = new TemporaryFolder();
  afterAll(() => folder[Symbol.dispose]());
  for (const [group, rows] of Object.entries(groups)) {
    describe(`[F21] ${group}, as we and openssl judge them`, () => {
      for (const [name, asked, ours, deviation] of rows) {
        it(`${name}: ${ours}${deviation === undefined ? '' : ` (${deviation})`}`, () => {
          expect(ourVerdict(asked)).toBe(ours);
          const theirs = opensslVerdict(asked, folder.path);
          const isAgreed = (theirs === 'valid') === (ours === 'valid');
          expect({ theirs, isAgreed }).toEqual({ theirs, isAgreed: deviation === undefined });
        });
      }
    });
  }
}
