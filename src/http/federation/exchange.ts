/** One request to a federation endpoint, and what was found out about it: all of that once, however often it is answered. */
import { readForm } from './form-body.ts';

export class Exchange {
  readonly request: Request;
  /** What the HTTP server knows of the connection. */
  readonly environment: unknown;
  /** Header fields of the answer, whichever it will be. */
  headers: Readonly<Record<string, string>> | undefined;
  #form: URLSearchParams | undefined;
  #done: Map<string, unknown> | undefined;

  constructor(request: Request, environment: unknown) {
    this.request = request;
    this.environment = environment;
  }

  /** In the body instead of the query: the request comes with a client assertion. */
  get isPost(): boolean {
    return this.request.method === 'POST';
  }

  /** The parameters: in the query of a GET, in the body of a POST (§8.8) once that was read. */
  get parameters(): URLSearchParams {
    if (this.#form !== undefined) return this.#form;
    const { url } = this.request;
    const start = url.indexOf('?');
    return new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
  }

  /** The parameters of a POST. @throws FederationError request_body_invalid, request_too_large */
  form(maxBytes?: number): Promise<URLSearchParams> {
    return this.once('form', async () => {
      this.#form = await readForm(this.request, maxBytes);
      return this.#form;
    });
  }

  /** Does something the first time only, and gives what came of it: a body is read once, an assertion used once. */
  once<T>(name: string, action: () => T): T {
    this.#done ??= new Map();
    if (!this.#done.has(name)) this.#done.set(name, action());
    return this.#done.get(name) as T;
  }

  /** The response with the header fields of this exchange. */
  complete(response: Response): Response {
    if (this.headers === undefined) return response;
    for (const [name, value] of Object.entries(this.headers)) response.headers.set(name, value);
    return response;
  }
}
