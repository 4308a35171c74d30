// The certificates of TLS servers, good and bad; certificates/README.md has the commands that made them.

import { readFileSync } from 'node:fs'

export interface Identity {
  readonly key: string
  readonly cert: string
}

const pem = (file: string): string => readFileSync(new URL(`certificates/${file}`, import.meta.url), 'latin1')
const identity = (name: string): Identity => ({ key: pem(`${name}.key`), cert: pem(`${name}.pem`) })

export const certificates = {
  ca: pem('ca.pem'),
  /** Good for localhost, 127.0.0.1 and ::1 until 2125. */
  server: identity('server'),
  /** The same, but its time was over in 2020. */
  expired: identity('expired'),
  /** Good, but for elsewhere.test only. */
  otherHost: identity('other-host'),
  /** For localhost, signed by itself and not by the CA. */
  selfSigned: identity('self-signed'),
  /** Good for an internationalised name alone, xn--bcher-kva.test, and signed by itself. */
  international: identity('international'),
} as const

export const { ca, server, expired, otherHost, selfSigned } = certificates
