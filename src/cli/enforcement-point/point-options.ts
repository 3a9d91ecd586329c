/** Options about an enforcement point: shared by `enforcement-point add` and `enforcement-point update`. */
import { type Command, Option } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { readCertificateInput } from '../credential/material-options.ts';
import { findApiResource } from '../offers/find-offer.ts';
import { positiveInteger, wholeNumber } from '../option-values.ts';
import type { Surroundings } from '../surroundings.ts';

export interface PointOptions {
  api?: string | false;
  maxStaleness?: number;
  requireToken?: boolean;
  certificateHeader?: string;
  clientCertificate?: string | false;
  clientX5t?: string;
  allowSample?: number;
  canary?: string | false;
}

const HEADERS = ['rfc9440', 'nginx', 'xfcc', 'traefik', 'caddy', 'apache'];

export function addPointOptions(command: Command): Command {
  return command
    .option('--api <api>', 'the API resource behind it: id, or family and version such as payments@2.1.0')
    .option(
      '--max-staleness <seconds>',
      'how old the state may be, else everybody is denied (default: 60)',
      positiveInteger,
    )
    .option('--require-token', 'nobody passes without an access token that is bound to the certificate')
    .addOption(
      new Option('--certificate-header <form>', 'how it passes client certificates on (default: rfc9440)').choices(
        HEADERS,
      ),
    )
    .option('--client-certificate <file>', 'the certificate that it connects with: PEM or DER; - is standard input')
    .option('--client-x5t <fingerprint>', 'in its place the x5t#S256: SHA-256 in base64url, or in hexadecimal')
    .option('--allow-sample <n>', 'log one in n allows; 1: all, 0: none (default: 100)', wholeNumber)
    .option('--canary <url>', 'where a member that is always suspended knocks');
}

/** The settings named, as the API takes them; `undefined` where nothing was said. @throws CommandError usage, refused */
export async function pointSettings(
  options: PointOptions,
  client: ApiClient,
  surroundings: Pick<Surroundings, 'stdin'>,
): Promise<Record<string, JsonValue | undefined>> {
  const { api, clientCertificate, clientX5t, canary } = options;
  if (clientCertificate !== undefined && clientX5t !== undefined) {
    throw new CommandError('usage', 'name either --client-certificate or --client-x5t');
  }
  return {
    apiId: api === false ? null : api && (await findApiResource(client, api)).id,
    maxStalenessSeconds: options.maxStaleness,
    isTokenRequired: options.requireToken,
    certificateHeader: options.certificateHeader,
    ...(clientCertificate === false
      ? { clientX5tS256: null }
      : {
          clientCertificate: clientCertificate && (await readCertificateInput(clientCertificate, surroundings)),
          clientX5tS256: clientX5t && fingerprint(clientX5t),
        }),
    allowSample: options.allowSample,
    canaryUrl: canary === false ? null : canary,
  };
}

/** As `openssl x509 -fingerprint -sha256` writes it, or as it is in tokens. */
function fingerprint(given: string): string {
  const hex = given.replaceAll(':', '');
  return /^[0-9A-Fa-f]{64}$/.test(hex) ? Buffer.from(hex, 'hex').toString('base64url') : given;
}
