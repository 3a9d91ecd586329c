/** Parameters in the body of a POST. @see OIDFED §8.8 */
import { FederationError } from '../../federation/errors.ts';
import { RequestTooLarge } from './request-too-large.ts';

const FORM = 'application/x-www-form-urlencoded';

/** Room for an assertion and some parameters. */
const MAX_FORM_BYTES = 64 * 1024;

/**
 * @param maxBytes of the body
 * @throws FederationError request_body_invalid, request_too_large
 */
export async function readForm(request: Request, maxBytes = MAX_FORM_BYTES): Promise<URLSearchParams> {
  return new URLSearchParams(await readBody(request, FORM, maxBytes));
}

/**
 * The body of a POST as text.
 * @param maxBytes of the body
 * @throws FederationError request_body_invalid when it is of another media type, request_too_large
 */
export async function readBody(request: Request, wanted: string, maxBytes: number): Promise<string> {
  const [mediaType = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (mediaType.trim().toLowerCase() !== wanted) {
    throw new FederationError('request_body_invalid', `the body of a POST is ${wanted}`);
  }
  return request.body === null ? '' : await readText(request.body, maxBytes);
}

/** Stops reading at the limit, whatever the length that was announced. */
async function readText(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RequestTooLarge(`the body of this POST has at most ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
