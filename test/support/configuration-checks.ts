/** An entity whose Entity Configuration is checked, as the tests of those checks need it. */
import { expect } from 'vitest';
import {
  type ApprovedSubject,
  type CheckedConfiguration,
  type ConfigurationSubject,
  checkConfiguration,
} from '../../src/enrolment/configuration-checks.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { Jwk } from '../../src/federation/jwk-set.ts';
import { type Authority, DEFAULT_LIFETIMES } from '../../src/registry/authorities/authority.ts';
import { DEFAULT_KEY_SETTINGS } from '../../src/registry/authorities/keys/key-settings.ts';
import { NO_RECOGNITION } from '../../src/registry/authorities/recognition-settings.ts';
import { retrieveEntityConfiguration } from '../../src/resolver/http-statement-source.ts';
import { NOW, type TestEntity } from './federation.ts';
import { type FederationServer, serveFederation } from './federation-server.ts';
import type { Tampering } from './keys.ts';
import { testClient } from './outbound.ts';
import { NOW_DATE, nextId } from './registry.ts';

export const AUTHORITY = 'https://authority.example';

const CHECKS = [
  'configuration_retrieved',
  'configuration_valid',
  'authority_hint',
  'entity_types',
  'keys',
  'metadata_policy',
] as const;
export type Check = (typeof CHECKS)[number];

export interface Circumstances {
  authority?: Partial<Authority>;
  settings?: Partial<ConfigurationSubject['settings']>;
  entityTypes?: string[];
  recordedKeys?: Jwk[];
  barredKeys?: Jwk[];
  approved?: ApprovedSubject | null;
  entityIdentifier?: string;
}

/** Publishes over HTTP, under the name `rp`. */
export class CheckedPartner implements AsyncDisposable {
  readonly server: FederationServer;
  readonly #client = testClient();

  private constructor(server: FederationServer) {
    this.server = server;
  }

  static async start(): Promise<CheckedPartner> {
    const metadata = { openid_relying_party: { client_name: 'Test RP', grade: 'gold' } };
    return new CheckedPartner(await serveFederation({ rp: { superiors: [AUTHORITY], metadata } }));
  }

  get rp(): TestEntity {
    return this.server.federation.entity('rp');
  }

  /** Checks what `rp` publishes, under an authority without policies unless told otherwise. */
  async check(circumstances: Circumstances = {}): Promise<CheckedConfiguration> {
    const {
      entityTypes = ['openid_relying_party'],
      recordedKeys = [],
      barredKeys = [],
      approved = null,
      entityIdentifier = this.rp.identifier,
    } = circumstances;
    const subject = {
      entityIdentifier: entityIdentifier as EntityIdentifier,
      authority: authorityWith(circumstances.authority),
      settings: { ...NO_SETTINGS, ...circumstances.settings },
      entityTypes,
      keyHistory: { recorded: recordedKeys, barred: barredKeys, hasPresent: false },
      approved,
    };
    return await checkConfiguration(subject, (entity) => retrieveEntityConfiguration(this.#client, entity), NOW, {});
  }

  /** Publishes the configuration tampered with from now on. */
  async tamper(tampering: Tampering): Promise<void> {
    const body = await this.server.federation.configuration('rp', tampering);
    this.server.override(this.server.configurationUrl('rp'), { body });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.#client[Symbol.asyncDispose]();
  }
}

const NO_SETTINGS: ConfigurationSubject['settings'] = {
  metadata: {},
  metadataPolicy: {},
  constraints: null,
  additionalClaims: {},
  crit: [],
  statementLifetimeSeconds: null,
};

function authorityWith(settings: Partial<Authority> = {}): Authority {
  return {
    id: nextId(),
    entityIdentifier: AUTHORITY,
    location: 'authority.example',
    name: 'Authority',
    authorityHints: [],
    metadata: {},
    defaultMetadataPolicy: {},
    defaultConstraints: null,
    ...DEFAULT_LIFETIMES,
    ...DEFAULT_KEY_SETTINGS,
    ...NO_RECOGNITION,
    keyProposals: 'hold',
    requiredContactTypes: [],
    enrolmentFlow: null,
    fourEyes: 'off',
    listedPurposes: [],
    contactConfirmationDays: null,
    lapseGraceDays: 30,
    onLapse: 'none',
    endpointAuthentication: {},
    version: 1,
    createdAt: NOW_DATE,
    ...settings,
  };
}

/** Reasons of the failed checks; every check must have been made or skipped. */
export function failed({ checks }: CheckedConfiguration): Partial<Record<Check, string>> {
  expect(checks.map(({ check }) => check)).toEqual(CHECKS);
  return Object.fromEntries(
    checks.filter(({ outcome }) => outcome === 'failed').map(({ check, reason }) => [check, reason]),
  );
}

/** What a check says. */
export function detail({ checks }: CheckedConfiguration, wanted: Check): string | undefined {
  return checks.find(({ check }) => check === wanted)?.detail;
}
