/** What a Trust Mark costs beyond its bare signature, and with the transaction that records it. @see OIDFED §7.1 */
import { randomBytes } from 'node:crypto';
import { CompactSign, type CryptoKey, decodeProtectedHeader, generateKeyPair } from 'jose';
import type { HouseRules } from '../../../src/federation/lint/house-rules.ts';
import type { Clock } from '../../../src/federation/time.ts';
import { signTrustMark, TrustMarkIssuer } from '../../../src/issuance/trust-marks/trust-mark-issuer.ts';
import { AuthorityDirectory } from '../../../src/registry/authorities/authority-directory.ts';
import { createAuthority } from '../../../src/registry/authorities/create-authority.ts';
import type { ChangeContext } from '../../../src/registry/change.ts';
import { LIFETIME_SECONDS } from '../../../src/registry/claims-input.ts';
import { SYSTEM } from '../../../src/registry/prepare-deployment.ts';
import { createRecordIds } from '../../../src/registry/record-id.ts';
import { defineTrustMarkType } from '../../../src/registry/trust-marks/define-trust-mark-type.ts';
import { grantTrustMark } from '../../../src/registry/trust-marks/grant-trust-mark.ts';
import { buildTrustMark } from '../../../src/registry/trust-marks/trust-mark-claims.ts';
import { MasterKey } from '../../../src/signer/sealing.ts';
import { createSigner } from '../../../src/signer/signer.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import type { Bench } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { inLanes, roundRobin, shareOfFloor, throughputOf } from '../rounds.ts';
import { MARKED_TYPE, subordinateIdentifier, TRUST_ANCHOR } from '../samples/registry-records.ts';
import { createDatabase, postgres } from '../service/deployment.ts';

const CONCURRENCY = 16;
const BEARERS = 500;
const HOUSE_RULES: HouseRules = { maxLifetimeSeconds: LIFETIME_SECONDS.max };

export const markIssue: Figure = {
  name: 'mark_issue',
  summary: `claims → lint → sign from records in memory, Trust Marks a second over bare jose signatures, ${CONCURRENCY} at a time`,
  unit: 'ratio',
  target: 0.6,
  better: 'higher',
  async measure(bench) {
    const masterKey = new MasterKey(randomBytes(32));
    const issue = await issuingFromMemory(masterKey);
    const example = await issue();
    const measurement = await shareOfFloor(
      bench,
      inLanes(CONCURRENCY, issue),
      inLanes(CONCURRENCY, await bareSignature(example)),
    );
    const recordedPerSecond = await recordedRate(bench, masterKey);
    const details = { concurrency: CONCURRENCY, bytes: example.length, recordedPerSecond };
    return { ...measurement, details: { ...measurement.details, ...details } };
  },
};

async function issuingFromMemory(masterKey: MasterKey): Promise<() => Promise<string>> {
  const signer = createSigner(masterKey);
  const key = await signer.generateKey('of the bench', 'ES256');
  const type = { ...MARKED_TYPE, delegation: null, delegationExpiresAt: null };
  const next = roundRobin(bearers().map((subject) => ({ subject, additionalClaims: {}, expiresAt: null })));
  return async () => {
    const mark = next();
    const claims = buildTrustMark(TRUST_ANCHOR, type, mark);
    const now = Math.floor(Date.now() / 1000);
    const signing = { signer, random: Math.random, houseRules: HOUSE_RULES };
    return (await signTrustMark({ claims, type, mark }, key, now, signing)).jwt;
  };
}

/** Marks a second with all that goes with them: their records are read, and that they were issued is recorded. */
async function recordedRate(bench: Bench, masterKey: MasterKey): Promise<number> {
  bench.progress('issuing with transactions');
  const url = await createDatabase((await bench.shared(postgres)).url, 'bench_mark_issue');
  await using database = await connectDatabase({ url, maxConnections: CONCURRENCY });
  const { db } = database;
  const signer = createSigner(masterKey);
  const context: ChangeContext = {
    ...{ db, actor: SYSTEM, now: new Date(), requestId: null, allowHttp: false },
    newId: createRecordIds(() => Date.now()),
    committed: async () => {},
  };
  const identity = { entityIdentifier: TRUST_ANCHOR, name: 'Trust Anchor of the bench' };
  const { id } = await createAuthority(context, identity, (authorityId) => signer.generateKey(authorityId, 'ES256'));
  const type = await defineTrustMarkType(context, id, MARKED_TYPE);
  for (const subject of bearers()) await grantTrustMark(context, { typeId: type.id, subject });
  const directory = new AuthorityDirectory(db);
  await directory.reload();
  const served = directory.get(id);
  if (served === undefined) throw new Error('the authority is not served');
  const clock = lapClock();
  const issuer = new TrustMarkIssuer({ db, signer, clock, random: Math.random, houseRules: HOUSE_RULES });
  const next = roundRobin(bearers());
  let issued = 0;
  const { value } = await throughputOf(
    bench,
    inLanes(CONCURRENCY, async () => {
      if (issued++ % BEARERS === 0) clock.startLap();
      if ((await issuer.mark(served, type, next())) === undefined) throw new Error('a bearer has no mark');
    }),
  );
  return value;
}

/** The life of a mark passes with each round of the bearers, so that every mark is due for renewal. */
function lapClock(): Clock & { startLap(): void } {
  let now = Math.floor(Date.now() / 1000);
  const startLap = () => {
    now += MARKED_TYPE.lifetimeSeconds;
  };
  return { now: () => now, startLap };
}

function bearers(): string[] {
  return Array.from({ length: BEARERS }, (_, index) => subordinateIdentifier(index));
}

/** The payload and header of an example signed over and over, both ready as they are. */
async function bareSignature(example: string): Promise<() => Promise<string>> {
  const { privateKey }: { privateKey: CryptoKey } = await generateKeyPair('ES256');
  const header = { ...decodeProtectedHeader(example), alg: 'ES256' };
  const payload = Buffer.from(example.split('.')[1] ?? '', 'base64url');
  return () => new CompactSign(payload).setProtectedHeader(header).sign(privateKey);
}
