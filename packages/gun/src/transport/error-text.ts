/** What the errors of the system, of Node and of OpenSSL say, in one line. */

/** Perhaps a thread, a code, the library, perhaps a function, the reason, and perhaps a place in OpenSSL's source. */
const OPENSSL = /(?:^|:)error:[0-9A-F]+:([^:]*):[^:]*:([^:\n]*)/

/** The text of an error in one line. An error that stands for several attempts has no message of its own. */
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
