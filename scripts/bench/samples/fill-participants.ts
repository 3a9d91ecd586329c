/** Fills the registry of a stopped deployment with organisations that run and offer something, past the API. */
import { eq, sql } from 'drizzle-orm';
import { recordId } from '../../../src/registry/record-id.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { apiResources } from '../../../src/storage/schema/api-resources.ts';
import { authorisationDomains } from '../../../src/storage/schema/authorisation-domains.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { authorizationServers } from '../../../src/storage/schema/authorization-servers.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../../src/storage/schema/role-assignments.ts';
import { roles } from '../../../src/storage/schema/roles.ts';
import { entityRecord, organisationRecord, TRUST_ANCHOR } from './registry-records.ts';

/** Organisations written in one INSERT; PostgreSQL takes 65,535 parameters. */
const BATCH = 500;
const FAMILIES = ['accounts', 'payments', 'consents'];

/**
 * Each has a provider with an authorization server and three APIs, a Relying Party, and a role that both were given.
 * @param databaseUrl of a PostgreSQL with the authority TRUST_ANCHOR
 */
export async function fillParticipants(databaseUrl: string, count: number): Promise<void> {
  await using database = await connectDatabase({ url: databaseUrl, role: 'owner' });
  const { db } = database;
  const now = new Date();
  const newId = () => recordId(now.getTime(), 0);
  const named = { description: null, version: 1, createdAt: now };
  const [authority] = await db
    .select({ id: authorities.id })
    .from(authorities)
    .where(eq(authorities.entityIdentifier, TRUST_ANCHOR));
  if (authority === undefined) throw new Error(`the database has no authority ${TRUST_ANCHOR}`);
  const authorityId = authority.id;
  const [domainId, roleId] = [newId(), newId()];
  await db.insert(authorisationDomains).values({ ...named, id: domainId, authorityId, name: 'Open Banking' });
  await db.insert(roles).values({
    ...{ ...named, id: roleId, authorityId, domainId, name: 'DADOS', scopes: [], grantTypes: [], entityType: null },
    ...{ metadataPolicy: {}, trustMarkTypes: [], approvals: 1 as const, state: 'active' as const },
  });
  const lasting = { state: 'active' as const, stateReason: null, stateChangedAt: now, version: 1, createdAt: now };
  for (let first = 0; first < count; first += BATCH) {
    const owners = Array.from({ length: Math.min(BATCH, count - first) }, (_, offset) => ({
      ...organisationRecord(authorityId, first + offset, now),
      ...{ registrationNumber: String(10_000_000 + first + offset), registrationRegister: 'CNPJ' },
      registrationCountry: 'BR',
    }));
    const types = ['openid_provider'];
    const providers = owners.map((owner, offset) => ({
      ...entityRecord(owner, 2 * (first + offset), now),
      ...{ registeredEntityTypes: types, verifiedEntityTypes: types, name: `${owner.legalName} Online` },
    }));
    const parties = owners.map((owner, offset) => entityRecord(owner, 2 * (first + offset) + 1, now));
    const servers = providers.map(({ id: entityId, entityIdentifier: issuer }) => ({
      ...{ id: newId(), authorityId, entityId, issuer, version: 1, createdAt: now },
    }));
    const apis = servers.flatMap(({ id: authorizationServerId, issuer }) =>
      FAMILIES.map((family) => ({
        ...{ id: newId(), authorityId, authorizationServerId, family, apiVersion: '2.1.0', version: 1, createdAt: now },
        ...{ endpoints: [`${issuer}/open-banking/${family}/v2`], certificationStatus: 'certified' as const },
        ...{ certificationUri: `https://certifier.example/${family}`, certificationFrom: now },
      })),
    );
    const held = owners.map(({ id: organisationId }) => ({
      ...{ ...lasting, id: newId(), authorityId, organisationId, roleId, jurisdictions: ['BR'], assignedBy: 'bench' },
    }));
    const given = [...providers, ...parties].map(({ id: entityId }, index) => ({
      ...{ ...lasting, id: newId(), entityId, roleAssignmentId: held[index % held.length]?.id ?? '' },
    }));
    await db.insert(organisations).values(owners);
    await db.insert(entities).values(providers);
    await db.insert(entities).values(parties);
    await db.insert(authorizationServers).values(servers);
    await db.insert(apiResources).values(apis);
    await db.insert(roleAssignments).values(held);
    await db.insert(entityRoleAssignments).values(given);
  }
  await db.execute(sql`ANALYZE`);
}
