/** `holdfast certificate list` and `show` */
import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import { addOwnerOptions, type OwnerOptions, ownerQuery } from '../owner-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import {
  CERTIFICATE_REQUEST_COLUMNS,
  type CertificateRequestRecord,
  certificateRequestRow,
  certificateRequestSchema,
  chainOf,
  describeCertificateRequest,
} from './request-report.ts';

interface CertificateListOptions extends ListOptions, OwnerOptions {
  profile?: string;
  state?: string;
}

export function addCertificateListCommand(parent: Command, surroundings: Surroundings): void {
  const command = addOwnerOptions(addListOptions(parent.command('list').description('List requests for certificates.')))
    .option('--entity <entity>', 'only those of one entity')
    .option('--profile <profile>', 'only those for a client, a server or signing')
    .option('--state <state>', 'only those that are pending, issued, rejected or lapsed')
    .addHelpText('after', example('holdfast certificate list --state pending'));
  command.action(async (options: CertificateListOptions) => {
    const session = openServiceSession(command, surroundings);
    const { profile, state } = options;
    const query = { ...(await ownerQuery(session.client, options)), profile, state };
    const listing = {
      record: certificateRequestSchema,
      columns: CERTIFICATE_REQUEST_COLUMNS,
      row: certificateRequestRow,
    };
    await showList(session, { path: 'certificate-requests', query, ...listing }, options);
  });
}

export function addCertificateShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a request for a certificate, and what came of it.')
    .argument('<request>', 'id')
    .option('--pem', 'the certificate itself and those above it, as PEM')
    .addHelpText('after', example('holdfast certificate show 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f --pem'));
  command.action(async (id: string, { pem }: { pem?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const request = await readRequest(session.client, id);
    if (pem !== true) {
      session.output.result(request, (report) => describeCertificateRequest(report, request));
      return;
    }
    const certificate = chainOf(request);
    if (certificate === undefined) {
      throw new CommandError('refused', `there is no certificate: the request is ${request.state}`);
    }
    session.output.text(certificate.trimEnd(), { certificate });
  });
}

export async function readRequest(client: ApiClient, id: string): Promise<CertificateRequestRecord> {
  const path = `certificate-requests/${encodeURIComponent(id)}`;
  return await client.send({ method: 'GET', path }, certificateRequestSchema);
}
