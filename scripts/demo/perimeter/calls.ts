/** What partners do at the perimeter: fetch a token, call the API; and what is said to them. */
import { z } from 'zod';
import type { Answer } from '../federation-client.ts';
import type { Witness } from '../witnesses.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { API } from './cast.ts';
import type { Connection } from './connection.ts';
import type { Gateway } from './gateway.ts';

export interface Perimeter {
  server: AuthorizationServer;
  gateway: Gateway;
}

const tokenSchema = z.looseObject({ access_token: z.string() });
const refusalSchema = z.looseObject({ error: z.string(), error_description: z.string().optional() });
const accountsSchema = z.looseObject({
  for: z.object({ participant: z.string(), organisation: z.string(), roles: z.string() }),
});

export interface TokenAnswer extends Answer {
  token?: string;
}

export interface CallAnswer extends Answer {
  status: number;
  /** Of a refusal: why, as Holdfast said it to nginx. */
  reason: string | undefined;
  /** Whom the API took the caller for. */
  caller: z.infer<typeof accountsSchema>['for'] | undefined;
}

/** @param client its Entity Identifier */
export async function askForToken(connection: Connection, { server }: Perimeter, client: string): Promise<TokenAnswer> {
  const form = { grant_type: 'client_credentials', client_id: client, scope: API.scope, resource: server.audience };
  const { status, body } = await connection.ask(`${server.issuer}/token`, { form });
  const issued = tokenSchema.safeParse(JSON.parse(body));
  if (status === 200 && issued.success) {
    return { isVouchedFor: true, says: '200, a token', token: issued.data.access_token };
  }
  const { error, error_description: description } = refusalSchema.parse(JSON.parse(body));
  return { isVouchedFor: false, says: `${status} ${error}: ${description}` };
}

/** @param headers what the caller says of itself besides */
export async function callApi(
  connection: Connection,
  { gateway }: Perimeter,
  token: string,
  headers: Record<string, string> = {},
): Promise<CallAnswer> {
  const authorization = `Bearer ${token}`;
  const answer = await connection.ask(gateway.url, { headers: { ...headers, authorization } });
  const { status } = answer;
  const reason = answer.headers['holdfast-reason']?.toString();
  if (status !== 200) return { isVouchedFor: false, says: `${status} ${reason}`, status, reason, caller: undefined };
  const { for: caller } = accountsSchema.parse(JSON.parse(answer.body));
  return { isVouchedFor: true, says: '200, the accounts', status, reason, caller };
}

/** Where a partner is let in or not: at the API with the token that it has, and where it gets the next one. */
export function witnessesOf(
  perimeter: Perimeter,
  { client, token, connections }: { client: string; token: string; connections: Connections },
): [gateway: Witness, tokenEndpoint: Witness] {
  return [
    { endpoint: 'gateway, open connection', ask: () => callApi(connections.gateway, perimeter, token) },
    { endpoint: 'token endpoint', ask: () => askForToken(connections.tokenEndpoint, perimeter, client) },
  ];
}

/** Of one partner. */
export interface Connections {
  gateway: Connection;
  tokenEndpoint: Connection;
}
