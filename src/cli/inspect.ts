/** `holdfast inspect`: the Entity Configuration of an entity, decoded and judged; no Trust Anchor is needed. @see OIDFED §9 */
import type { Command } from 'commander';
import { FederationError } from '../federation/errors.ts';
import { entityConfigurationUrl } from '../federation/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../federation/json.ts';
import { decodeJwt } from '../federation/signature.ts';
import { CommandError } from './command-error.ts';
import type { Finding } from './configuration-findings.ts';
import { example } from './help-text.ts';
import { addOutboundOptions, type OutboundOptions, openOutbound, parseNamedEntity } from './outbound-options.ts';
import type { Report } from './report.ts';
import { openLocalSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { momentText } from './times.ts';
import { understoodClaims } from './understood-claims.ts';
import { wrappedLines } from './wrapped-lines.ts';

const DESCRIPTION = `Fetch the Entity Configuration of an entity, decode it, verify it with its own keys, and say what is
wrong with it; keys behind a signed_jwks_uri are fetched and verified as well. That it is valid does not say that anybody
trusts it: \`holdfast resolve\` does. Needs no Trust Anchor and no running service. Exits with 1 if it is not valid.`;

export function addInspectCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('inspect')
    .summary('fetch, decode and verify an Entity Configuration')
    .description(DESCRIPTION)
    .argument('<entity-identifier>', 'the entity');
  addOutboundOptions(command).addHelpText('after', example('holdfast inspect https://rp.example.edu'));
  command.action(async (given: string, options: OutboundOptions) => {
    const { output, allowHttp, clock } = openLocalSession(command, surroundings, options);
    const entity = parseNamedEntity(given, allowHttp);
    await using outbound = await openOutbound(options, surroundings, [entity]);
    const { retrieveEntityConfiguration } = await import('../resolver/http-statement-source.ts');
    const { retrieveSignedJwkSet } = await import('../resolver/signed-jwk-sets.ts');
    const { findingsOf } = await import('./configuration-findings.ts');
    const jwt = await retrieveEntityConfiguration(outbound, entity);
    const retrieveJwkSet = (url: string) => retrieveSignedJwkSet(outbound, url);
    const judging = { now: clock.now(), allowHttp, understoodClaims: understoodClaims(surroundings) };
    const findings = await findingsOf(jwt, entity, { ...judging, retrieveJwkSet });
    const isValid = findings.every(({ level }) => level !== 'error');
    const { header, claims } = decoded(jwt);
    const url = entityConfigurationUrl(entity);
    output.result({ entity, url, valid: isValid, findings, header, claims, jwt }, (report) => {
      report.heading(entity);
      report.facts(factsOf(isValid, url, header, claims));
      showFindings(findings, report);
      report.heading('Header');
      report.json(header);
      report.heading('Claims');
      report.json(claims);
    });
    if (!isValid)
      throw new CommandError('refused', `the Entity Configuration of ${entity} is not valid`, { code: 'invalid' });
  });
}

/** What does not decode is an error among the findings. */
function decoded(jwt: string): { header: JsonObject; claims: JsonObject } {
  try {
    const { header, claims } = decodeJwt(jwt);
    return { header, claims };
  } catch (error) {
    if (error instanceof FederationError) return { header: {}, claims: {} };
    throw error;
  }
}

function factsOf(
  isValid: boolean,
  url: string,
  header: JsonObject,
  claims: JsonObject,
): [string, string | undefined][] {
  const { iat, exp, metadata, authority_hints: hints, jwks } = claims;
  const keys = isJsonObject(jwks) && Array.isArray(jwks['keys']) ? jwks['keys'] : [];
  return [
    ['verdict', isValid ? 'valid, as far as its own word goes' : 'not valid'],
    ['found at', url],
    ['issued', timeText(iat)],
    ['good until', timeText(exp)],
    ['signed with', typeof header['kid'] === 'string' ? `${header['kid']} (${String(header['alg'])})` : undefined],
    ['keys', keys.map((key) => (isJsonObject(key) ? String(key['kid']) : '')).join(' ')],
    ['Entity Types', isJsonObject(metadata) ? Object.keys(metadata).join(' ') : undefined],
    ['superiors', Array.isArray(hints) ? hints.join(' ') : undefined],
  ];
}

function timeText(moment: JsonValue | undefined): string | undefined {
  return typeof moment === 'number' ? momentText(moment) : undefined;
}

function showFindings(findings: readonly Finding[], report: Report): void {
  report.heading('Findings');
  if (findings.length === 0) report.line('  none');
  for (const { level, reason, section, at, message } of findings) {
    const rule = reason === undefined ? '' : `${reason} (§${section}) `;
    const place = at === '' ? '' : `at ${at}: `;
    const text = `${level}: ${rule}${place}${message}`;
    for (const line of wrappedLines(text, `  ${level === 'error' ? '✗' : '!'} `, '    ')) report.line(line);
  }
}
