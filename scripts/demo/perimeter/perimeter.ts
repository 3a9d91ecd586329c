/** The perimeter: who is let in, at the authorization server and at the gateway, and how soon no more. */
import { hash, X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { transitionOrganisation } from '../enrolment.ts';
import { millisecondsText, short } from '../narrator.ts';
import { freePorts, type Stage } from '../stage.ts';
import { type Findings, type Playground, type Story, StoryError } from '../story.ts';
import { tellBefore, watchEachRefusal } from '../witnesses.ts';
import { startAuthorizationServer } from './authorization-server.ts';
import { askForToken, type Connections, callApi, type Perimeter, witnessesOf } from './calls.ts';
import { API, STRANGER } from './cast.ts';
import { createCertificateAuthority } from './certificates.ts';
import { Connection } from './connection.ts';
import { requireNginx, startGateway } from './gateway.ts';
import { requireOpenssl } from './openssl.ts';
import { admitPartners, type Partner } from './partners.ts';
import { openRegistry, type Registry } from './registry.ts';
import { revokeTheOldOne } from './revocation.ts';

export const perimeter: Story = {
  name: 'perimeter',
  summary:
    'an authorization server and an API behind nginx ask before each call; certificates of our own; a revocation, a suspension',
  nothingFound: () => ({
    usedCodeRefused: false,
    renewed: false,
    tokenBound: false,
    admitted: false,
    forgedIdentityReplaced: false,
    stolenTokenRefused: false,
    strangerRefused: false,
    withoutCertificateRefused: false,
    oldOneCountsBesideTheNew: false,
    revokedRefusedAfterMs: null,
    revokedByOcsp: false,
    revokedByList: false,
    revokedNotRenewed: false,
    gatewayRefusedAfterMs: null,
    tokenEndpointRefusedAfterMs: null,
    reinstated: false,
  }),
  tell,
};

async function tell(stage: Stage, findings: Findings): Promise<Playground> {
  await Promise.all([requireNginx(), requireOpenssl()]);
  stage.narrator.title(
    'The perimeter of Holdfast',
    'Scopes say what a caller may do. Before that somebody has to say that it belongs here at all, now: an authorization',
    'server asks before each token, nginx before each request, and a suspension counts on connections already open.',
  );
  const registry = await openRegistry(stage);
  const [gatewayPort = 0] = await freePorts(1);
  const server = await startAuthorizationServer(stage, registry, `https://localhost:${gatewayPort}${API.path}`);
  const gateway = await startGateway(stage, registry, server, gatewayPort);
  const { partner, other } = await admitPartners(stage, registry, findings);
  const asked = { server, gateway };
  const ca = registry.serverCa.certificate;
  using toGateway = new Connection(ca, partner.certified);
  using toServer = new Connection(ca, partner.certified);
  const connections = { gateway: toGateway, tokenEndpoint: toServer };
  const token = await beLetIn(stage, asked, { partner, connections }, findings);
  await refuseOthers(stage, asked, { other, token, ca }, findings);
  await revokeTheOldOne(stage, asked, { registry, partner }, findings);
  await suspendAndReinstate(stage, asked, { registry, partner, connections, token }, findings);
  return await playground(stage, registry, asked, partner);
}

/** @returns the token */
async function beLetIn(
  stage: Stage,
  asked: Perimeter,
  { partner, connections }: { partner: Partner; connections: Connections },
  findings: Findings,
): Promise<string> {
  const { narrator } = stage;
  const { part, entity, certified } = partner;
  narrator.scene(
    `${part.legalName} is let in`,
    'It proves with each connection that it has the key of its certificate; the token is worth nothing without that.',
  );
  const { token, says } = await narrator.step(
    () => askForToken(connections.tokenEndpoint, asked, entity),
    (answer) => `the authorization server: ${answer.says}`,
    'POST /token, grant_type=client_credentials',
  );
  if (token === undefined) throw new StoryError(`no token: ${says}`);
  const x5tS256 = hash('sha256', new X509Certificate(certified.certificate).raw, 'base64url');
  const { cnf } = decodeJwt(token);
  narrator.tell(`bound to the certificate: cnf ${short(JSON.stringify(cnf))}`);
  findings['tokenBound'] = JSON.stringify(cnf) === JSON.stringify({ 'x5t#S256': x5tS256 });
  const forged = { 'holdfast-participant': 'https://somebody.else.example', 'x-ssl-client-cert': 'forged' };
  const { caller, says: told } = await narrator.step(
    () => callApi(connections.gateway, asked, token, forged),
    (answer) => `the API, through nginx: ${answer.says}`,
    `GET ${API.path}, Authorization: Bearer …`,
  );
  if (caller === undefined) throw new StoryError(`not let in: ${told}`);
  narrator.tell(`the API was told: ${short(caller.participant)}, ${caller.roles}, whatever the caller says of itself`);
  findings['admitted'] = caller.organisation === partner.organisation.id && caller.roles !== '';
  findings['forgedIdentityReplaced'] = caller.participant === entity;
  return token;
}

async function refuseOthers(
  { narrator }: Stage,
  asked: Perimeter,
  { other, token, ca }: { other: Partner; token: string; ca: string },
  findings: Findings,
): Promise<void> {
  narrator.scene('Others are not', 'The same token, from whoever copied it.');
  const elsewhere = await createCertificateAuthority('Another CA');
  using asOther = new Connection(ca, other.certified);
  using asStranger = new Connection(ca, await elsewhere.issueToClient(STRANGER));
  using asNobody = new Connection(ca);
  const trials = [
    [`${other.part.legalName}, enrolled, with its own certificate`, asOther, 'stolenTokenRefused', '403 cnf_mismatch'],
    [`${STRANGER}, with a certificate of its own`, asStranger, 'strangerRefused', '403 unknown_participant'],
    ['nobody, without a certificate', asNobody, 'withoutCertificateRefused', '401 certificate_missing'],
  ] as const;
  for (const [who, connection, finding, expected] of trials) {
    const { says } = await narrator.step(
      () => callApi(connection, asked, token),
      (answer) => `${who}: ${answer.says}`,
    );
    findings[finding] = says === expected;
  }
}

async function suspendAndReinstate(
  stage: Stage,
  asked: Perimeter,
  {
    registry,
    partner,
    connections,
    token,
  }: {
    registry: Registry;
    partner: Partner;
    connections: Connections;
    token: string;
  },
  findings: Findings,
): Promise<void> {
  const { narrator } = stage;
  const { organisation, entity: client } = partner;
  narrator.scene(
    `${organisation.legalName} is suspended`,
    'Its certificate, its token and its connections are as good as before; what counts is what the registry says now.',
  );
  const witnesses = witnessesOf(asked, { client, token, connections });
  const wasLetIn = await tellBefore(stage, witnesses);
  const { suspended, answeredAt } = await narrator.step(
    async () => {
      const record = await transitionOrganisation(registry.api, organisation, 'suspend', 'incident 4711: key leaked');
      return { suspended: record, answeredAt: performance.now() };
    },
    ({ suspended: { state, stateReason } }) => `it is ${state}, "${stateReason}"`,
    'POST /api/v1/organisations/{id}/suspend',
  );
  const [atGateway = null, atTokenEndpoint = null] = await watchEachRefusal(stage, witnesses, answeredAt);
  const isSame = connections.gateway.isOneConnection;
  narrator.tell(isSame ? 'nginx refused on the connection that was open all the time' : 'the connection was closed');
  findings['gatewayRefusedAfterMs'] = wasLetIn && isSame ? atGateway : null;
  findings['tokenEndpointRefusedAfterMs'] = wasLetIn ? atTokenEndpoint : null;
  await narrator.step(
    () => transitionOrganisation(registry.api, suspended, 'reinstate', 'key replaced'),
    ({ state, stateReason }) => `it is ${state} again, "${stateReason}"`,
    'POST /api/v1/organisations/{id}/reinstate',
  );
  findings['reinstated'] = await tellBefore(stage, witnesses, 'now');
  narrator.tell(
    `from the suspension's answer to the refusal: gateway ${timeText(atGateway)}, token endpoint ${timeText(atTokenEndpoint)}`,
  );
}

function timeText(milliseconds: number | null): string {
  return milliseconds === null ? 'none' : millisecondsText(milliseconds);
}

async function playground(
  stage: Stage,
  { api, token, trustAnchor }: Registry,
  { server, gateway }: Perimeter,
  { entity, certified, organisation }: Partner,
): Promise<Playground> {
  const url = api.serviceUrl.origin;
  const environment = await stage.write(
    'environment',
    `export HOLDFAST_URL='${url}'\nexport HOLDFAST_TOKEN='${token}'\n`,
  );
  const certificate = await stage.write('partner.pem', certified.certificate);
  const key = await stage.write('partner.key', certified.key);
  const curl = `curl --cacert ${stage.file('servers-ca.pem')} --cert ${certificate} --key ${key}`;
  return {
    facts: [
      ['service', `${url} (documentation: ${url}/docs)`],
      ['Trust Anchor', `${trustAnchor.entityIdentifier} (${trustAnchor.name})`],
      ['authorization server', server.issuer],
      ['API', gateway.url],
      ['partner', `${entity} (${organisation.legalName})`],
      ['token of the admin', `${environment}, to be read by the shell`],
    ],
    commands: [
      `. ${environment}`,
      `ACCESS_TOKEN=$(${curl} -s -d grant_type=client_credentials -d client_id=${entity} ${server.issuer}/token |`,
      '  sed \'s/.*access_token":"\\([^"]*\\)".*/\\1/\')',
      `${curl} -i -H "Authorization: Bearer $ACCESS_TOKEN" ${gateway.url}`,
      `npx holdfast organisation suspend ${organisation.id} --reason "to see it refused"`,
      `npx holdfast organisation reinstate ${organisation.id} --reason "to see it work again"`,
      'npx holdfast decisions',
    ],
  };
}
