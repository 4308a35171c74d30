/** Certificates for servers on this machine, good ones and bad ones. They protect nothing: everybody has their keys. */

import { ca, expired, international, otherHost, selfSigned, server } from './identities.js'
import type { Identity } from './identity.js'

/** An authority, and certificates for a server: each is accepted, or refused for the reason that its name says. */
export const certificates: {
  /** The authority that has signed the others unless they say otherwise: for `tlsOpts: { ca }`. */
  readonly ca: string
  /** Good for localhost, 127.0.0.1 and ::1 until 2125. Servers show this one unless they are given another. */
  readonly server: Identity
  /** Good for these names until 2020: a client refuses it with `CERT_HAS_EXPIRED`. */
  readonly expired: Identity
  /** Good for elsewhere.test only: a client refuses it with `ERR_TLS_CERT_ALTNAME_INVALID`. */
  readonly otherHost: Identity
  /** For localhost, signed by itself: a client refuses it with `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly selfSigned: Identity
  /** Good for the internationalised name xn--bcher-kva.test alone, and signed by itself. */
  readonly international: Identity
} = { ca, server, expired, otherHost, selfSigned, international }
