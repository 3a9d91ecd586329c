/** What a test federation publishes, without a network: for tests of many federations or of fixed words. */
import { entityConfigurationUrl, withQuery } from '../../src/federation/identifiers.ts';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import type { OutboundResponse } from '../../src/outbound/response-collector.ts';
import type { HttpGet } from '../../src/resolver/http-statement-source.ts';
import type { TestFederation } from './federation.ts';

/** The statements of a federation by URL, signed once. */
export async function publishedStatements(federation: TestFederation): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (const { name, identifier } of federation.entities) {
    answers.set(entityConfigurationUrl(identifier), await federation.configuration(name));
    for (const subordinate of federation.subordinates(name)) {
      const url = withQuery(federation.endpoints(name).fetch, [['sub', subordinate.identifier]]);
      answers.set(url, await federation.subordinateStatement(name, subordinate.name));
    }
  }
  return answers;
}

/** Answers with a body for each URL, 404 for all others. */
export function memoryClient(answers: ReadonlyMap<string, string>): HttpGet {
  return {
    async get(url): Promise<OutboundResponse> {
      const body = answers.get(String(url));
      const headers = new Map<string, string>();
      if (body === undefined) return { status: 404, contentType: undefined, headers, body: new Uint8Array() };
      return { status: 200, contentType: MEDIA_TYPE.entityStatement, headers, body: new TextEncoder().encode(body) };
    },
  };
}
