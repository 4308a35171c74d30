/** The certificate that the servers of the benchmarks show over TLS, and the authority that vouches for it. */

import { readFileSync } from 'node:fs'

/** The folder is as far from the sources as it is from the compiled files. */
const pem = (file: string) =>
  readFileSync(new URL(`../../../test/support/certificates/${file}`, import.meta.url), 'latin1')

export const ca = pem('ca.pem')
export const identity = { key: pem('server.key'), cert: pem('server.pem') }
