/** What it costs that keys are in a token: statements issued with keys in SoftHSM2 and with keys in this process. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { Pkcs11Custody } from '../../../src/signer/custody/pkcs11/token-custody.ts';
import { MasterKey } from '../../../src/signer/sealing.ts';
import { createSigner, type Signer } from '../../../src/signer/signer.ts';
import type { Figure } from '../figure.ts';
import { inLanes, shareOfFloor } from '../rounds.ts';
import { issuingFromMemory } from '../samples/issuing.ts';
import { runDirectory } from '../service/run-directory.ts';
import { createSoftToken, pkcs11jsFolder } from '../service/soft-token.ts';

const CONCURRENCY = 16;

export const pkcs11Sign: Figure = {
  name: 'pkcs11_sign',
  summary: `claims → lint → sign from records in memory with SoftHSM2, statements a second over keys in this process, ${CONCURRENCY} at a time`,
  unit: 'ratio',
  target: 0.5,
  better: 'higher',
  async measure(bench) {
    const { environment, module, label, pin } = createSoftToken(mkdtempSync(path.join(runDirectory(), 'token-')));
    const NODE_PATH = pkcs11jsFolder();
    await using token = new Pkcs11Custody({
      ...{ module, label, pin },
      environment: { ...process.env, ...environment, NODE_PATH },
    });
    await token.open();
    const { authority, issue } = await issuingFromMemory();
    const masterKey = new MasterKey(randomBytes(32));
    const issuing = async (signer: Signer) => {
      const key = await signer.generateKey(authority.id, 'ES256');
      return inLanes(CONCURRENCY, () => issue(signer, key));
    };
    const measurement = await shareOfFloor(
      bench,
      await issuing(createSigner(masterKey, { token, makesNewKeys: true })),
      await issuing(createSigner(masterKey, undefined)),
    );
    return { ...measurement, details: { ...measurement.details, concurrency: CONCURRENCY } };
  },
};
