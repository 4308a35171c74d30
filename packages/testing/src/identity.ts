/** A certificate and its key. */

/** A certificate and its key, as `node:tls` takes them. */
export interface Identity {
  /** The private key, in PEM. */
  readonly key: string
  /** The certificate, in PEM. */
  readonly cert: string
}
