import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { certifyRequest, openOrMakeRoot } from '../../src/cli/ca/root-ceremony.ts';
import { lintCertificateRequest } from '../../src/pki/request/lint-certificate-request.ts';
import { writeCertificationRequestInfo } from '../../src/pki/request/write-certificate-request.ts';
import type { X509Algorithm } from '../../src/pki/signed/linted-der.ts';
import { openOfflineRoot } from '../../src/signer/offline-root.ts';
import { requestPem } from '../support/certificate-requests.ts';
import { distinguishedName, ecKey, rsaKey } from '../support/certificates.ts';
import { systemClock } from '../support/service-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-root-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const passphrase = 'correct horse battery staple';
const NOW = systemClock.now();
const REQUEST = requestPem({ subject: distinguishedName({ CN: 'Issuing CA' }) });

const rootOf = async (name: string, alg: X509Algorithm = 'ES256') => {
  const order = { folder: path.join(folder, name), passphrase, name: 'Root', organisation: undefined, alg, years: 20 };
  return (await openOrMakeRoot(order, NOW)).root;
};

describe('an offline root', () => {
  it.each(['ES256', 'ES384', 'RS256'] as const)(
    'of %s certifies, and does so again once it was closed',
    async (alg) => {
      const made = await rootOf(alg, alg);
      const opened = await openOfflineRoot(path.join(folder, alg), passphrase);
      expect([opened.alg, opened.certificate, opened.spki]).toEqual([alg, made.certificate, made.spki]);
      const root = new X509Certificate(made.certificate);
      expect([root.verify(root.publicKey), root.ca]).toEqual([true, true]);
      for (const open of [made, opened]) {
        const issued = new X509Certificate(certifyRequest(open, REQUEST, 10, NOW));
        expect([issued.verify(root.publicKey), issued.checkIssued(root), issued.ca]).toEqual([true, true, true]);
      }
    },
  );

  it('gives nothing that outlasts it', async () => {
    const root = await rootOf('short');
    const later = NOW + 15 * 365.25 * 86_400;
    const issued = new X509Certificate(certifyRequest(root, REQUEST, 10, later));
    expect(issued.validTo).toBe(new X509Certificate(root.certificate).validTo);
    expect(() => certifyRequest(root, REQUEST, 10, NOW + 21 * 365.25 * 86_400)).toThrow('the root has expired');
  });

  it.each<[string, string, string]>([
    [
      'whose key is too short',
      requestPem({ key: rsaKey(1024), subject: distinguishedName({ CN: 'x' }) }),
      '2048 are needed',
    ],
    ['that names nobody', requestPem(), 'names nobody'],
    ["of somebody else's key", requestPem({ signer: ecKey() }), 'is not signed with the key that it is for'],
    [
      'with a long name',
      requestPem({ subject: distinguishedName({ CN: 'n'.repeat(65) }) }),
      'whose CN is empty, too long',
    ],
  ])('refuses a request %s', async (_, request, words) => {
    const root = await rootOf('refusing');
    expect(() => certifyRequest(root, request, 10, NOW)).toThrow(words);
  });

  it('signs nothing but certificates and lists of revocations', async () => {
    const { sign, spki } = await rootOf('choosy');
    const info = writeCertificationRequestInfo({ subject: [{ type: '2.5.4.3', text: 'x' }], spki });
    const linted = (alg: X509Algorithm) => lintCertificateRequest(info, { alg, spki });
    expect(() => sign(linted('ES256'))).toThrow('no certificate-request with ES256');
  });

  it('is not made where there is a part of one, nor where others may look', async () => {
    await mkdir(path.join(folder, 'part'), { mode: 0o700 });
    await writeFile(path.join(folder, 'part', 'root.pem'), 'x');
    await expect(rootOf('part')).rejects.toThrow('there is no such file');
    await mkdir(path.join(folder, 'group'));
    await chmod(path.join(folder, 'group'), 0o750);
    await expect(rootOf('group')).rejects.toThrow('is open to others on this machine; run: chmod 700');
    await writeFile(path.join(folder, 'file'), 'x', { mode: 0o600 });
    await expect(rootOf('file')).rejects.toThrow('is no folder');
  });
});
