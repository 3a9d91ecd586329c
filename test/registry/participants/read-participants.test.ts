import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionException } from '../../../src/registry/exceptions/transition-exception.ts';
import {
  readCredentialKeys,
  readKnownApplications,
  readKnownCertificates,
  readKnownExceptions,
  readKnownOrganisations,
  readKnownRoleAssignments,
  readKnownRoles,
} from '../../../src/registry/participants/read-participants.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import type { CredentialRevocationReason, CredentialUsage } from '../../../src/storage/schema/credentials.ts';
import { CLIENT_AUTH, generalName } from '../../support/certificate-paths.ts';
import {
  type CertificatePlan,
  certificate,
  DIGITAL_SIGNATURE,
  ecKey,
  extendedKeyUsage,
  pem,
  sequence,
} from '../../support/certificates.ts';
import { credential, publicJwk } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { exceptionOf } from '../../support/exceptions.ts';
import { NOW } from '../../support/federation.ts';
import { actor, openOrganisation, type TestRegistry } from '../../support/registry.ts';
import { assignedRole } from '../../support/roles.ts';

describe.each(DATABASE_KINDS)('what an index holds of the registry, on %s', (kind) => {
  let registry: TestRegistry;
  let opened: Awaited<ReturnType<typeof openOrganisation>>;

  beforeAll(async () => {
    opened = await openOrganisation(kind);
    registry = opened.registry;
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('has organisations and applications in whichever state, with what is said of them', async () => {
    const { authority, organisation } = opened;
    const delegator = await registry.organisation(authority, 'active');
    const settings = { name: 'Payments', onBehalfOf: delegator.id };
    const entity = await registry.entity(organisation, settings, 'suspended');
    const [known] = await readKnownApplications(registry.db, { ids: [entity.id] });
    expect(known).toEqual({
      ...{ id: entity.id, authorityId: authority.id, organisationId: organisation.id },
      ...{ entityIdentifier: entity.entityIdentifier, name: 'Payments', mode: 'live', environment: 'production' },
      ...{ state: 'suspended', onBehalfOf: delegator.id, roleAssignmentIds: [], certifiedKeys: [] },
    });
    const suspended = await registry.organisation(authority, 'suspended');
    expect(await readKnownOrganisations(registry.db, { ids: [suspended.id] })).toEqual([
      { id: suspended.id, legalName: 'Partner Ltd', state: 'suspended' },
    ]);
  });

  it('has the roles of applications, and says which are taken or retired', async () => {
    const { organisation } = opened;
    const validTo = new Date((NOW + 86_400) * 1000);
    const kept = await assignedRole(registry, organisation, { validTo, jurisdictions: ['GB'] });
    const retired = await assignedRole(registry, organisation);
    const entity = await registry.entity(organisation);
    for (const { roleId } of [kept, retired]) await giveRole(registry.context(), entity.id, roleId);
    const [known] = await readKnownApplications(registry.db, { ids: [entity.id] });
    expect(known?.roleAssignmentIds).toEqual([kept.id, retired.id].toSorted());
    expect(await readKnownRoleAssignments(registry.db, { ids: [kept.id] })).toEqual([
      {
        ...{ id: kept.id, roleId: kept.roleId, isRemoved: false, jurisdictions: ['GB'] },
        ...{ validFrom: null, validTo: NOW + 86_400 },
      },
    ]);

    await transitionRole(registry.context(), retired.roleId, 'retire', 'no more');
    await removeRoleAssignment(registry.context(), organisation.id, kept.id, 'lost it');
    expect(await readKnownRoles(registry.db, { ids: [retired.roleId] })).toMatchObject([{ isRetired: true }]);
    expect(await readKnownRoleAssignments(registry.db, { ids: [kept.id] })).toMatchObject([{ isRemoved: true }]);
    const [after] = await readKnownApplications(registry.db, { ids: [entity.id] });
    expect(after?.roleAssignmentIds).toEqual([retired.id]);
  });

  it('has transport certificates alone, ended ones too', async () => {
    const { authority } = opened;
    const transport = await credential(registry, authority);
    const key = await credential(registry, authority, { material: publicJwk() });
    const signing = await credential(registry, authority, { usage: 'signing' });
    await holdCredential(registry.context(), transport.id, 'hold', 'let us see');
    const ids = [transport.id, key.id, signing.id];
    const secondsOf = (date: Date | null) => date && date.getTime() / 1000;
    expect(await readKnownCertificates(registry.db, { ids })).toEqual([
      {
        ...{ id: transport.id, applicationId: transport.entityId, x5tS256: transport.x5tS256, path: null },
        life: {
          ...{ state: 'on_hold', supersededAt: null },
          ...{ notBefore: secondsOf(transport.notBefore), notAfter: secondsOf(transport.notAfter) },
        },
      },
    ]);
  });

  it('[F40] believes the certificate of a Federation Entity Key unless a record or the certificate itself says otherwise', async () => {
    const { authority, organisation } = opened;
    const context = registry.context();
    const held = async (plan: Partial<CertificatePlan> = {}, key = ecKey()) => {
      const first = certificate({ ...plan, key });
      const certificateOf = (serial: number) =>
        serial === 1 ? first : certificate({ ...plan, key, serial: [serial] });
      const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: 'certified', alg: 'ES256' };
      const jwks = { keys: [{ ...jwk, x5c: [certificateOf(1).toString('base64')] }] } as JwkSet;
      const { id } = await registry.entity(organisation, { jwks });
      const objection = async () => {
        const [known] = await readKnownApplications(registry.db, { ids: [id] });
        return known?.certifiedKeys.map((one) => one.objection);
      };
      const add = (serial: number, usage: CredentialUsage, entityId = id) =>
        addCredential(context, entityId, { usage, material: { certificate: pem(certificateOf(serial)) } });
      return { id, add, objection };
    };
    const revoke = (id: string, reasonCode: CredentialRevocationReason) =>
      revokeCredential(context, id, { reasonCode, reason: 'x' });
    const plain = await held();
    expect(await plain.objection()).toEqual([null]);

    const { entityIdentifier } = await registry.entity(await registry.organisation(authority));
    const uri = { type: '2.5.29.17', value: sequence(generalName.uri(entityIdentifier)) };
    const copied = await held({ extensions: [DIGITAL_SIGNATURE, extendedKeyUsage(CLIENT_AUTH), uri] });
    expect(await copied.objection()).toEqual(['subject']);

    // Another certificate of the key, for something else.
    const compromised = await held();
    const { id } = await compromised.add(2, 'signing');
    expect(await compromised.objection()).toEqual([null]);
    await revoke(id, 'superseded');
    expect(await compromised.objection()).toEqual([null]);
    await revoke((await compromised.add(3, 'signing')).id, 'key_compromise');
    expect(await compromised.objection()).toEqual(['credential']);

    const paused = await held();
    const signing = await paused.add(1, 'signing');
    await holdCredential(context, signing.id, 'hold', 'x');
    expect(await paused.objection()).toEqual(['credential']);
    await holdCredential(context, signing.id, 'release', 'x');
    expect(await paused.objection()).toEqual([null]);

    const proven = await registry.entity(await registry.organisation(authority));
    const elsewhere = await registry.entity(await registry.organisation(await registry.authority()));
    const taken = await held();
    const first = await taken.add(2, 'transport', elsewhere.id);
    expect(await taken.objection()).toEqual([null]);
    await revoke(first.id, 'cessation_of_operation');
    const claim = await taken.add(2, 'transport', proven.id);
    expect(await taken.objection()).toEqual(['credential']);
    expect(await readCredentialKeys(registry.db, [claim.id], [])).toEqual([claim.spkiSha256]);
    expect(await readCredentialKeys(registry.db, [], [proven.id])).toEqual([claim.spkiSha256]);
    await transitionEntity(context, proven.id, 'revoke', 'gone');
    expect(await taken.objection()).toEqual([null]);
  });

  it('has exceptions once they are approved', async () => {
    const pending = await exceptionOf(registry, opened.authority);
    expect(await readKnownExceptions(registry.db, { ids: [pending.id] })).toEqual([]);
    const approver = registry.context(actor({ id: 'approver' }));
    await transitionException(approver, pending.id, 'approve', 'for a month');
    expect(await readKnownExceptions(registry.db, { ids: [pending.id] })).toEqual([
      {
        ...{ id: pending.id, applicationId: pending.entityId, kind: 'no_mtls' },
        endsAt: pending.endsAt.getTime() / 1000,
      },
    ]);
  });

  it('is read in pieces, each after the last', async () => {
    const all = await readKnownOrganisations(registry.db, { after: undefined });
    expect(all.length).toBeGreaterThan(1);
    const rest = await readKnownOrganisations(registry.db, { after: all[0]?.id });
    expect(rest).toEqual(all.slice(1));
    expect(await readKnownOrganisations(registry.db, { after: all.at(-1)?.id })).toEqual([]);
  });
});
