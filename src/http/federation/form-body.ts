/** Parameters in the body of a POST. @see OIDFED §8.8 */
import { FederationError } from '../../federation/errors.ts';

const FORM = 'application/x-www-form-urlencoded';

/** Room for an assertion and some parameters. */
const MAX_FORM_BYTES = 64 * 1024;

/** @throws FederationError request_body_invalid */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const [mediaType = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (mediaType.trim().toLowerCase() !== FORM) {
    throw new FederationError('request_body_invalid', `the body of a POST is ${FORM}`);
  }
  return new URLSearchParams(request.body === null ? '' : await readText(request.body));
}

/** Stops reading at the limit, whatever the length that was announced. */
async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_FORM_BYTES) {
      throw new FederationError('request_body_invalid', `the body of a POST has at most ${MAX_FORM_BYTES} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
