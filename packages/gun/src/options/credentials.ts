/** The names and passwords that can be sent to a proxy. */

const control = /\p{Cc}/u

/** Whether the value is text without control characters, as a password must be (RFC 7617 section 2). */
export function isPassword(value: unknown): value is string {
  return typeof value === 'string' && !control.test(value)
}

/** Whether the value can be the name for `Basic`, which ends at the first colon (RFC 7617 section 2). */
export function isBasicName(value: unknown): value is string {
  return isPassword(value) && !value.includes(':')
}

/** Whether the value can be the name or the password for a SOCKS server (RFC 1929 section 2). */
export function isSocksText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= 255
}
