/** An authority of a composed service that vouches for subordinates, for tests of what it states about them. */
import { expect } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { NewEntity } from '../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { jwtOf, refusalIn } from './answers.ts';
import type { DATABASE_KINDS } from './databases.ts';
import { startTestService, type TestService } from './service.ts';

const MEDIA_TYPE = 'application/entity-statement+jwt';

type Named = Pick<Entity, 'entityIdentifier'>;

export interface Superior {
  service: TestService;
  authority: Authority;
  organisation: Organisation;
  /** An active entity of the organisation. */
  enrol(settings?: Partial<NewEntity>): Promise<Entity>;
  /** The statement about an entity, by another authority if one is given. */
  fetchStatement(subject: Named, by?: Authority): Promise<string>;
  /** How asking for it is refused: `404 not_found`. */
  refused(subject: Named, by?: Authority): Promise<string>;
  /** Fails if the service met anything unexpected. */
  stop(): Promise<void>;
}

/**
 * @example
 * const { enrol, fetchStatement, stop } = await startSuperior('embedded');
 * afterAll(stop);
 * const jwt = await fetchStatement(await enrol());
 */
export async function startSuperior(
  kind: (typeof DATABASE_KINDS)[number],
  settings: Partial<Config> = {},
): Promise<Superior> {
  const service = await startTestService(kind, settings);
  const authority = await service.authority();
  const organisation = await service.organisation(authority);
  const fetch = (sub: string, by: Authority): Promise<Response> => service.ask(by, 'fetch', { sub });
  return {
    service,
    authority,
    organisation,
    enrol: (settings = {}) => service.entity(organisation, settings),
    fetchStatement: async ({ entityIdentifier }, by = authority) =>
      await jwtOf(await fetch(entityIdentifier, by), MEDIA_TYPE),
    refused: async ({ entityIdentifier }, by = authority) => await refusalIn(await fetch(entityIdentifier, by)),
    stop: async () => {
      expect(service.failures).toEqual([]);
      await service[Symbol.asyncDispose]();
    },
  };
}
