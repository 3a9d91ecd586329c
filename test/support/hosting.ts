/** A service that hosts entities: its authority, an organisation and what partners do, through the API. */

import type { Config } from '../../src/config/config.ts';
import { type EntityIdentifier, entityConfigurationUrl } from '../../src/federation/identifiers.ts';
import { TYP } from '../../src/federation/media-types.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { NewAuthority } from '../../src/registry/authorities/create-authority.ts';
import { createToken } from '../../src/registry/tokens/create-token.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { ApiClient, type Body } from './api-client.ts';
import type { DATABASE_KINDS } from './databases.ts';
import { keyProof } from './enrolment.ts';
import { signJwt, type TestKey } from './keys.ts';
import { startTestService, type TestService } from './service.ts';

export const HOSTED_BASE_URL = 'https://entities.example';

export const METADATA = {
  openid_relying_party: { client_name: 'Clinic', redirect_uris: ['https://clinic.example/callback'] },
};

/** Longer than any test lets the clock run. */
const TOKEN_LIFETIME_SECONDS = 366 * 86_400;

let names = 0;

/**
 * @example
 * await using hosting = await startHosting('embedded');
 * const clinic = await hosting.host();
 * const response = await hosting.ask(clinic.entityIdentifier);
 */
export async function startHosting(
  kind: (typeof DATABASE_KINDS)[number],
  settings: Partial<Config> = {},
  authority: Partial<NewAuthority> = {},
): Promise<TestHosting> {
  const service = await startTestService(kind, { hostedBaseUrl: HOSTED_BASE_URL, ...settings });
  const anchor = await service.authority(authority);
  const { id } = await service.organisation(anchor);
  // Of whatever composition is running: a test may start the service anew.
  const app = { fetch: (request: Request) => service.app.fetch(request) };
  const client = async (role: Role) => {
    const token = { name: role, roles: [role], authorityIds: null, lifetimeSeconds: TOKEN_LIFETIME_SECONDS };
    const { secret } = await createToken(service.context(), token);
    return new ApiClient(app, { authorization: `Bearer ${secret}` });
  };
  return new TestHosting(service, anchor, id, {
    admin: await client('admin'),
    registrar: await client('registrar'),
    approver: await client('approver'),
  });
}

interface Clients {
  admin: ApiClient;
  registrar: ApiClient;
  approver: ApiClient;
}

export class TestHosting implements AsyncDisposable {
  readonly service: TestService;
  readonly anchor: Authority;
  readonly organisationId: string;
  readonly admin: ApiClient;
  readonly registrar: ApiClient;
  readonly approver: ApiClient;

  constructor(service: TestService, anchor: Authority, organisationId: string, clients: Clients) {
    this.service = service;
    this.anchor = anchor;
    this.organisationId = organisationId;
    this.admin = clients.admin;
    this.registrar = clients.registrar;
    this.approver = clients.approver;
  }

  /** An identifier under our own host that no other test has. */
  identifier(): string {
    return `${HOSTED_BASE_URL}/clinic-${++names}`;
  }

  /** Enrols; the answer is whatever came of it. */
  enrol(entityIdentifier: string = this.identifier(), hosting: object = { metadata: METADATA }) {
    const body = { organisationId: this.organisationId, entityIdentifier, hosting };
    return this.registrar.post('/api/v1/entities', body);
  }

  /** An entity that is hosted and active. */
  async host(entityIdentifier?: string, hosting?: object): Promise<{ id: string; entityIdentifier: string }> {
    const enrolled = await this.enrol(entityIdentifier, hosting);
    if (enrolled.status !== 201) throw new Error(JSON.stringify(enrolled.body));
    await this.transition(enrolled.body.id, 'approve', { 'if-match': enrolled.etag });
    return enrolled.body;
  }

  async transition(id: string, name: string, headers: Record<string, string> = {}): Promise<void> {
    const answer = await this.approver.post(`/api/v1/entities/${id}/${name}`, { reason: 'by a test' }, headers);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  }

  async hosting(id: string): Promise<Body> {
    return (await this.admin.get(`/api/v1/entities/${id}/hosting`)).body;
  }

  /** What is published for an entity. */
  ask(entityIdentifier: string, init?: RequestInit): Promise<Response> {
    return this.service.fetch(entityConfigurationUrl(entityIdentifier as EntityIdentifier), init);
  }

  async configuration(entityIdentifier: string): Promise<string> {
    const response = await this.ask(entityIdentifier);
    if (response.status !== 200) throw new Error(`no configuration: ${response.status}`);
    return await response.text();
  }

  roll(id: string) {
    return this.registrar.post(`/api/v1/entities/${id}/hosting/keys`, { reason: 'yearly' });
  }

  /** Brings a key as a partner does that proves it. */
  async bring({ id, entityIdentifier }: { id: string; entityIdentifier: string }, key: TestKey) {
    const asked = { authorityId: this.anchor.id, entityIdentifier };
    const { challenge } = (await this.registrar.post('/api/v1/enrolment-challenges', asked)).body;
    const claims = { iss: entityIdentifier, aud: this.anchor.entityIdentifier, nonce: challenge };
    const keyProofs = [await keyProof(key, claims)];
    const body = { jwks: { keys: [key.jwk] }, challenge, keyProofs, outOfBandCheck: 'called them' };
    return await this.registrar.post(`/api/v1/entities/${id}/hosting/bring`, body);
  }

  /** A configuration that a partner signs. */
  async signed(entityIdentifier: string, key: TestKey, changes: object = {}): Promise<string> {
    const iat = this.service.clock.now();
    return await signJwt(key, TYP.entityStatement, {
      iss: entityIdentifier,
      sub: entityIdentifier,
      iat,
      exp: iat + 3600,
      jwks: { keys: [key.jwk] },
      authority_hints: [this.anchor.entityIdentifier],
      metadata: METADATA,
      ...changes,
    });
  }

  upload(id: string, configuration: string) {
    return this.registrar.put(`/api/v1/entities/${id}/configuration`, { configuration });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
  }
}
