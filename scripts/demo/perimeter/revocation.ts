/** One certificate is revoked: whoever asks about it hears so, and nobody renews by it. */
import { hash, X509Certificate } from 'node:crypto';
import { credentialSchema } from '../../../src/cli/credential/credential-records.ts';
import type { Stage } from '../stage.ts';
import { type Findings, StoryError } from '../story.ts';
import { tellBefore, watchRefusals } from '../witnesses.ts';
import { askForToken, type Perimeter, witnessesOf } from './calls.ts';
import type { Certified } from './certificates.ts';
import { Connection } from './connection.ts';
import { tryToRenew } from './est.ts';
import { ocspStatus, statusByList } from './openssl.ts';
import type { Partner } from './partners.ts';
import type { Registry } from './registry.ts';

export async function revokeTheOldOne(
  stage: Stage,
  asked: Perimeter,
  { registry, partner }: { registry: Registry; partner: Partner },
  findings: Findings,
): Promise<void> {
  const { narrator } = stage;
  const { part, entity, before } = partner;
  if (before === undefined) throw new StoryError(`${part.legalName} has no certificate but one`);
  narrator.scene(
    `A certificate of ${part.legalName} is revoked`,
    'Not the new one: the old one, which still counts beside it. A laptop was lost that had its key.',
  );
  const { certificate: ca } = registry.serverCa;
  using toGateway = new Connection(ca, before);
  using toServer = new Connection(ca, before);
  const connections = { gateway: toGateway, tokenEndpoint: toServer };
  const { token, says } = await askForToken(toServer, asked, entity);
  if (token === undefined) throw new StoryError(`no token: ${says}`);
  const witnesses = witnessesOf(asked, { client: entity, token, connections });
  findings['oldOneCountsBesideTheNew'] = await tellBefore(stage, witnesses);
  const answeredAt = await narrator.step(
    async () => {
      await revoke(registry, partner, before);
      return performance.now();
    },
    () => 'it is revoked: key_compromise',
    'POST /api/v1/credentials/{id}/revoke',
  );
  const refusedAfterMs = await watchRefusals(stage, witnesses, answeredAt);
  findings['revokedRefusedAfterMs'] = toGateway.isOneConnection ? refusedAfterMs : null;
  const file = await stage.write('revoked.pem', before.certificate);
  const { urls } = registry.certification.record;
  const asking = { ...registry.certification, certificate: file };
  findings['revokedByOcsp'] =
    (await narrator.step(
      () => ocspStatus(asking, urls.ocsp),
      (status) => `OCSP: ${status}`,
      'openssl ocsp -cert … -url …',
    )) === 'revoked, keyCompromise';
  findings['revokedByList'] =
    (await narrator.step(
      async () => statusByList(stage, asking, await bytesAt(urls.revocationList)),
      (status) => `the list of revocations: ${status}`,
      'openssl verify -crl_check …',
    )) === 'certificate revoked';
  findings['revokedNotRenewed'] =
    (await narrator.step(
      () => tryToRenew(stage, registry, before),
      (status) => `to renew by it: ${status}`,
      'POST /.well-known/est/simplereenroll',
    )) === 403;
}

async function revoke({ api }: Registry, { record }: Partner, { certificate }: Certified): Promise<void> {
  const x5tS256 = hash('sha256', new X509Certificate(certificate).raw, 'base64url');
  const { items } = await api.list(`entities/${record.id}/credentials`, {}, credentialSchema, { limit: 10 });
  const credential = items.find((one) => one.x5tS256 === x5tS256);
  if (credential === undefined) throw new StoryError('the certificate is not on record');
  const body = { reasonCode: 'key_compromise', reason: 'laptop lost' };
  await api.send({ method: 'POST', path: `credentials/${credential.id}/revoke`, body }, credentialSchema);
}

async function bytesAt(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new StoryError(`${url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
