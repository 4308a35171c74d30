/** The texts of errors from the system, Node and OpenSSL, in one line. */

/**
 * An OpenSSL error: an optional thread, a code, the library, an optional function, the reason, and an
 * optional place in OpenSSL's source.
 */
const OPENSSL = /(?:^|:)error:[0-9A-F]+:([^:]*):[^:]*:([^:\n]*)/

/**
 * Returns the text of an error in one line. An AggregateError, which stands for several attempts and has no
 * message of its own, yields the texts of all its errors.
 */
export function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ')
  if (!(error instanceof Error)) return String(error)
  const [, library = '', reason] = OPENSSL.exec(error.message) ?? []
  if (reason === undefined) return error.message.replace(/\s*\n\s*/g, '; ')
  const code = 'code' in error ? String(error.code) : ''
  const where = library === 'SSL routines' ? '' : `${library}: `
  const hint = code === 'ERR_SSL_WRONG_VERSION_NUMBER' ? '; the peer does not seem to speak TLS' : ''
  return `${where}${reason}${code === '' ? '' : ` (${code})`}${hint}`
}
