/** The part of node-postgres that we use; to be replaced by the package @types/pg. */
declare module 'pg' {
  import type { EventEmitter } from 'node:events';

  export interface ClientConfig {
    connectionString?: string;
    application_name?: string;
    options?: string;
    connectionTimeoutMillis?: number;
    statement_timeout?: number;
    query_timeout?: number;
    idle_in_transaction_session_timeout?: number;
    keepAlive?: boolean;
    keepAliveInitialDelayMillis?: number;
  }
  export interface PoolConfig extends ClientConfig {
    max?: number;
  }
  export interface QueryResultRow {
    [column: string]: unknown;
  }
  export interface QueryResult<R extends QueryResultRow = QueryResultRow> {
    rows: R[];
    rowCount: number | null;
    command: string;
  }
  export interface Notification {
    channel: string;
    payload?: string;
  }
  export class Client extends EventEmitter {
    constructor(config: string | ClientConfig);
    connect(): Promise<void>;
    end(): Promise<void>;
    query<R extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<R>>;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'notification', listener: (notification: Notification) => void): this;
    once(event: 'end', listener: () => void): this;
  }
  export interface PoolClient extends Client {
    release(destroy?: Error | boolean): void;
  }
  export class Pool extends EventEmitter {
    constructor(config: PoolConfig);
    connect(): Promise<PoolClient>;
    end(): Promise<void>;
    query<R extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<R>>;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'connect', listener: (client: PoolClient) => void): this;
  }
  export function escapeIdentifier(name: string): string;
}
