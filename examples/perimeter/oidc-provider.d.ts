/** What the example uses of oidc-provider 9, which comes without types. */
declare module 'oidc-provider' {
  import type { X509Certificate } from 'node:crypto';
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Socket } from 'node:net';

  export interface Context {
    readonly socket: Socket;
  }

  export interface Client {
    readonly clientId: string;
  }

  export interface Token {
    readonly clientId: string;
    readonly aud?: string | string[];
  }

  export interface Adapter {
    find(id: string): Promise<object | undefined>;
    upsert(id: string, payload: object, expiresInSeconds?: number): Promise<void>;
    destroy(id: string): Promise<void>;
    consume(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export interface Configuration {
    adapter: (model: string) => Adapter;
    clients: readonly object[];
    clientAuthMethods: readonly string[];
    clientDefaults: object;
    cookies: { keys: readonly string[] };
    enabledJWA: object;
    extraTokenClaims: (ctx: Context, token: Token) => Promise<object | undefined>;
    features: Partial<{
      clientCredentials: { enabled: boolean };
      devInteractions: { enabled: boolean };
      dPoP: { enabled: boolean };
      introspection: {
        enabled: boolean;
        allowedPolicy: (ctx: Context, client: Client, token: Token) => Promise<boolean>;
      };
      jwtIntrospection: { enabled: boolean; ack?: string };
      mTLS: {
        enabled: boolean;
        certificateBoundAccessTokens: boolean;
        selfSignedTlsClientAuth: boolean;
        getCertificate: (ctx: Context) => X509Certificate | undefined;
      };
      pushedAuthorizationRequests: { enabled: boolean };
      registration: {
        enabled: boolean;
        /** Whoever registers shows such a token; it names the policies that judge what he asks for. */
        initialAccessToken: boolean;
        policies: Record<string, (ctx: Context, properties: Record<string, unknown>) => Promise<void>>;
        issueRegistrationAccessToken?: boolean;
      };
      rpInitiatedLogout: { enabled: boolean };
      userinfo: { enabled: boolean };
      resourceIndicators: {
        enabled: boolean;
        defaultResource: (ctx: Context) => string;
        getResourceServerInfo: (ctx: Context, resource: string, client: Client) => object;
      };
    }>;
    jwks: { keys: readonly object[] };
    responseTypes: readonly string[];
    scopes: readonly string[];
    ttl: { ClientCredentials: number };
  }

  export class Provider {
    constructor(issuer: string, configuration: Partial<Configuration>);
    readonly InitialAccessToken: new (content: {
      policies: readonly string[];
    }) => { save(): Promise<string> };
    callback(): (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  }

  export namespace errors {
    class AccessDenied extends Error {
      constructor(description: string);
    }
    class InvalidClient extends Error {
      constructor(description: string);
    }
    class InvalidSoftwareStatement extends Error {
      constructor(description: string);
    }
    class InvalidTarget extends Error {
      constructor(description?: string);
    }
    class UnapprovedSoftwareStatement extends Error {
      constructor(description: string);
    }
  }
}
