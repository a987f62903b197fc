/** Certificates for tests, made by the `openssl` command: each with its key, signed by itself or by another. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MadeCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface CertificateWish {
  readonly name: string;
  readonly alternatives?: readonly string[];
  readonly key?: 'rsa:2048' | 'rsa:1024' | 'rsa:512' | 'prime256v1' | 'ed25519';
  /** Signs itself when undefined. */
  readonly issuer?: MadeCertificate;
  readonly isAuthority?: boolean;
}

/** Makes one that is valid for 30 days. */
export function makeCertificate(wish: CertificateWish): MadeCertificate {
  const { name, alternatives = [], key = 'rsa:2048', issuer, isAuthority = false } = wish;
  const folder = mkdtempSync(join(tmpdir(), 'ballast-certificate-'));
  const path = (file: string) => join(folder, file);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  try {
    const [type, bits] = key.split(':') as [string, string?];
    if (type === 'rsa') openssl('genrsa', '-out', 'key.pem', bits!);
    else if (type === 'ed25519') openssl('genpkey', '-algorithm', 'ed25519', '-out', 'key.pem');
    else openssl('ecparam', '-name', type, '-genkey', '-noout', '-out', 'key.pem');
    openssl('req', '-new', '-key', 'key.pem', '-subj', `/O=Ballast/CN=${name}`, '-out', 'request.pem');
    const names = [name, ...alternatives].map((each) => `DNS:${each}`).join(',');
    writeFileSync(path('extensions'), `basicConstraints=CA:${isAuthority}\nsubjectAltName=${names}\n`);
    const signer = issuer === undefined ? ['-key', 'key.pem'] : ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem'];
    if (issuer !== undefined) {
      writeFileSync(path('ca.pem'), issuer.certificate);
      writeFileSync(path('ca-key.pem'), issuer.privateKey);
    }
    openssl(
      'x509',
      '-req',
      '-in',
      'request.pem',
      ...signer,
      '-sha256',
      '-extfile',
      'extensions',
      '-days',
      '30',
      '-out',
      'own.pem',
    );
    return { certificate: readFileSync(path('own.pem'), 'utf8'), privateKey: readFileSync(path('key.pem'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A list with which the authority revokes certificates of these serial numbers, in hexadecimal digits. */
export function makeRevocations(authority: MadeCertificate, serials: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-revocations-'));
  const path = (file: string) => join(folder, file);
  try {
    writeFileSync(path('ca.pem'), authority.certificate);
    writeFileSync(path('key.pem'), authority.privateKey);
    const lines = serials.map((serial) => `R\t351231235959Z\t260101000000Z\t${serial}\tunknown\t/CN=${serial}\n`);
    writeFileSync(path('index.txt'), lines.join(''));
    const settings = 'database=index.txt\ndefault_md=sha256\ncrl_extensions=extensions\ndefault_crl_days=30';
    writeFileSync(
      path('config'),
      `[ca]\ndefault_ca=own\n[own]\n${settings}\n[extensions]\nauthorityKeyIdentifier=keyid\n`,
    );
    const files = ['-cert', 'ca.pem', '-keyfile', 'key.pem', '-out', 'crl.pem'];
    execFileSync('openssl', ['ca', '-config', 'config', '-gencrl', ...files], { cwd: folder, stdio: 'pipe' });
    return readFileSync(path('crl.pem'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
