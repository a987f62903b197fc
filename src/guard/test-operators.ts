/** People who approve, with their keys, for tests. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Certificate, Statement } from '#model/approval.ts';
import type { ApprovalDocument, OperatorDocument } from '#model/documents.ts';
import { testPlace } from './test-gate.ts';

export class TestOperator {
  readonly name: string;
  readonly document: OperatorDocument;
  readonly #key: KeyObject;

  constructor(name: string, rights: OperatorDocument['rights'] = ['approve', 'govern']) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.name = name;
    this.#key = privateKey;
    this.document = {
      publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64url'),
      rights,
      createdAtMs: 0,
    };
  }

  /** Holds in the test place from 0 to 1,000 seconds, for any number of load balancers, unless said otherwise. */
  approve(covers: Statement['covers'], but: Partial<Statement> = {}): Certificate {
    const statement: Statement = {
      type: 'ballast-approval',
      id: '00000000000000a1',
      ...testPlace,
      approver: this.name,
      covers,
      loadBalancersMax: 1_000,
      notBeforeMs: 0,
      notAfterMs: 1_000_000,
      ...but,
    };
    return this.sign(JSON.stringify(statement));
  }

  sign(statement: string): Certificate {
    return { statement, signature: sign(null, Buffer.from(statement), this.#key).toString('base64url') };
  }
}

/** The document of an approval as the control plane keeps it. */
export function approvalDocument(certificate: Certificate): ApprovalDocument {
  const { covers, notAfterMs } = JSON.parse(certificate.statement) as Statement;
  return {
    certificate,
    digest: covers.kind === 'digest' ? covers.digest : '',
    usedBy: 0,
    expiresAtMs: notAfterMs,
  };
}
