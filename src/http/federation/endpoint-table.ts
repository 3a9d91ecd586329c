/** Every federation endpoint of every authority by host and path, rebuilt when the authorities change. */
import { SERVED_ENDPOINT_NAMES, SERVED_PATHS, type ServedEndpoint } from '../../issuance/authority-endpoints.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';

export interface EndpointTarget {
  authorityId: string;
  endpoint: ServedEndpoint;
}

export class EndpointTable {
  readonly #directory: AuthorityDirectory;
  #authorities: readonly ServedAuthority[] | undefined;
  #endpoints: ReadonlyMap<string, EndpointTarget> = new Map();

  constructor(directory: AuthorityDirectory) {
    this.#directory = directory;
  }

  /** @param location host with its port, and path */
  find(location: string): EndpointTarget | undefined {
    if (this.#authorities !== this.#directory.all) this.#rebuild(this.#directory.all);
    return this.#endpoints.get(location) ?? this.#endpoints.get(location.replace(DEFAULT_PORT, '$1/'));
  }

  #rebuild(authorities: readonly ServedAuthority[]): void {
    this.#authorities = authorities;
    this.#endpoints = new Map(
      authorities.flatMap(({ authority }) =>
        SERVED_ENDPOINT_NAMES.map((endpoint) => [
          authority.location + SERVED_PATHS[endpoint],
          { authorityId: authority.id, endpoint },
        ]),
      ),
    );
  }
}

/** Behind a proxy we do not know the scheme, and so not which of the two a client might as well have left out. */
const DEFAULT_PORT = /^([^/]+):(?:80|443)\//;
