/** The certificate that the servers of the benchmarks show over TLS, and the authority that vouches for it. */

// The index would load Holster into the processes of the other clients.
import { certificates } from '@holster/testing/internal'

export const { ca, server: identity } = certificates
