/** The way to authorization servers, within limits of address, time and size: filled with the guarded way out. */

export interface IssuerResponse {
  status: number;
  /** Media type in lower case, without parameters. */
  contentType: string | undefined;
  body: Uint8Array;
}

interface RequestLimits {
  accept: readonly string[];
  timeoutMs: number;
  maxResponseBytes: number;
}

/** Both reject if there is no whole answer, a redirect included. */
export interface IssuerRequests {
  get(url: string, options: RequestLimits): Promise<IssuerResponse>;
  post(
    url: string,
    options: RequestLimits & { body: string; contentType: string; authorization: string },
  ): Promise<IssuerResponse>;
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws TypeError if it is not UTF-8 */
export function textOf({ body }: IssuerResponse): string {
  return UTF_8.decode(body);
}
