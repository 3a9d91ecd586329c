/** `holdfast certificate approve` and `reject` */
import type { Command } from 'commander';
import { addDecisionCommands } from '../decision-commands.ts';
import type { Surroundings } from '../surroundings.ts';
import { readRequest } from './read.ts';
import { certificateRequestSchema, describeCertificateRequest, titleOf } from './request-report.ts';

export function addCertificateDecisionCommands(parent: Command, surroundings: Surroundings): void {
  addDecisionCommands(parent, surroundings, {
    summaries: {
      approve: 'have the certificate issued; not for whoever asked for it, or made its code',
      reject: 'turn down a request that waits',
    },
    command: 'certificate',
    argument: ['<request>', 'id'],
    sample: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f',
    collection: 'certificate-requests',
    record: certificateRequestSchema,
    find: ({ client }, id) => readRequest(client, id),
    title: (request) => `the request for a ${titleOf(request)}`,
    describe: describeCertificateRequest,
  });
}
