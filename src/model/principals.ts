/** What the operator API says of principals and their access keys, and the command line shows. Times are ISO 8601. */

export interface PrincipalEntry {
  readonly type: 'principal';
  /** `ACCOUNT/NAME` */
  readonly principal: string;
  readonly createdAt: string;
  /** IAM's JSON, as it was given. */
  readonly policy?: string;
  /** The oldest first. */
  readonly keys: readonly { readonly accessKeyId: string; readonly createdAt: string }[];
}

/** The only answer that ever holds the secret. */
export interface MadeKey {
  readonly principal: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
