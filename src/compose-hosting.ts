/** The wiring of hosted entities, a part of compose.ts. */
import type { Config } from './config/config.ts';
import type { CheckedRecord } from './enrolment/configuration-checks.ts';
import { requirePointedHere } from './enrolment/host-control.ts';
import { FederationError } from './federation/errors.ts';
import type { EntityIdentifier } from './federation/identifiers.ts';
import type { HouseRules } from './federation/lint/house-rules.ts';
import type { Clock } from './federation/time.ts';
import { HostedConfigurations } from './issuance/hosted-configurations.ts';
import { inCustody, type StatementIssuer } from './issuance/statement-issuer.ts';
import type { OutboundClient } from './outbound/outbound-client.ts';
import type { AffectedSubject } from './registry/affected-subjects.ts';
import type { GenerateHostedKey } from './registry/hosting/hosted-entity.ts';
import { HostingHosts } from './registry/hosting/hosting-hosts.ts';
import { type HostingSites, isOnOurHost } from './registry/hosting/hosting-place.ts';
import type { TakeTools } from './registry/hosting/take-hosted-key.ts';
import type { SealedKey, SigningKey } from './signer/custody/key-custody.ts';
import type { Signer } from './signer/signer.ts';
import type { RegistryChange } from './storage/change-feed.ts';
import type { Database } from './storage/connect.ts';

export interface HostingMaterials {
  config: Config;
  database: Database;
  signer: Signer;
  issuer: StatementIssuer;
  clock: Clock;
  houseRules: HouseRules;
}

export interface ComposedHosting {
  sites: HostingSites;
  hosts: HostingHosts;
  configurations: HostedConfigurations;
  generateKey: GenerateHostedKey;
  keyTools: TakeTools;
  /**
   * The configuration of a hosted entity for its checks, active or not; a host of its own has to point here.
   * @returns undefined unless exactly this record is hosted
   */
  checked: (
    entity: EntityIdentifier,
    checkedRecord: CheckedRecord,
    outbound: OutboundClient,
  ) => Promise<string | undefined>;
  /** Drops what the changes made untrue, before their seq is served. */
  follow: (changes: readonly RegistryChange[], affected: readonly AffectedSubject[]) => Promise<void>;
}

export function composeHosting({ config, database, signer, ...materials }: HostingMaterials): ComposedHosting {
  const sites: HostingSites = { serviceUrl: config.baseUrl, hostedBaseUrl: config.hostedBaseUrl };
  const hosts = new HostingHosts(database.feedDb, sites);
  const configurations = new HostedConfigurations({ db: database.db, signer, ...materials });
  return {
    sites,
    hosts,
    configurations,
    generateKey: (entityIdentifier) => signer.generateKey(entityIdentifier, config.keyAlgorithm, 'hosted-entity'),
    keyTools: {
      exportKey: (key, entityIdentifier, recipient) =>
        signer.exportKey(sealedHere(inCustody(key, entityIdentifier)), recipient),
      presentConfiguration: async (entityIdentifier) => {
        const record = await configurations.find(entityIdentifier);
        return record?.isActive ? await configurations.asIfActive(record) : undefined;
      },
    },
    async checked(entity, checkedRecord, outbound) {
      if (checkedRecord?.enrolment !== 'hosted') return undefined;
      const record = await configurations.find(entity);
      if (record === undefined || record.entity.id !== checkedRecord.id) return undefined;
      if (!isOnOurHost(entity, sites)) await requirePointedHere(outbound, entity, record.entity.id);
      const configuration = await configurations.asIfActive(record);
      if (configuration !== undefined) return configuration;
      throw new FederationError('entity_not_found', `nothing that counts is published here for ${entity}`);
    },
    async follow(changes, affected) {
      await hosts.follow(changes);
      configurations.follow(affected);
    },
  };
}

/** Only what the database holds can be handed out. */
function sealedHere(key: SigningKey): SealedKey {
  if (key.custody !== 'pkcs11') return key;
  throw new TypeError(`the key ${key.kid} is in a token`);
}
