/** A header field, which is looked at once, when it is made: a table hands it out many times. */

export const REGULAR = 0
/** A pseudo-header field, whose name begins with a colon. */
export const PSEUDO = 1
export const LENGTH = 2
/** A field that makes its message malformed (RFC 9113 sections 8.2.1 and 8.2.2). */
export const WRONG = 3

export type FieldKind = typeof REGULAR | typeof PSEUDO | typeof LENGTH | typeof WRONG

/** The cost of a field in a table and in a list besides its octets (RFC 7541 section 4.1, RFC 9113 section 6.5.2). */
export const OVERHEAD = 32

const COLON = 0x3a
const NUL = 0x00
const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20

const inName = new Uint8Array(256)
for (const octet of Buffer.from("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")) inName[octet] = 1

/** The fields that concern one connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
export const ofHttp1: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

export class Field {
  /** Is handed to users as it is. */
  readonly pair: readonly [name: string, value: string]
  /** In bytes, with the overhead. */
  readonly size: number
  readonly kind: FieldKind

  /** Each character of the name and of the value is one octet. */
  constructor(name: string, value: string) {
    this.pair = [name, value]
    this.size = name.length + value.length + OVERHEAD
    this.kind = isWrongValue(value) ? WRONG : kindOf(name)
  }

  /** Lets nobody change the pair, since a table hands it out again and again, that of the static table to every connection. */
  share(): this {
    Object.freeze(this.pair)
    return this
  }
}

function kindOf(name: string): FieldKind {
  const isPseudo = name.charCodeAt(0) === COLON
  const start = isPseudo ? 1 : 0
  if (name.length === start) return WRONG
  for (let i = start; i < name.length; i++) if (inName[name.charCodeAt(i)] !== 1) return WRONG
  if (isPseudo) return PSEUDO
  if (name === 'content-length') return LENGTH
  return ofHttp1.has(name) ? WRONG : REGULAR
}

function isWrongValue(value: string): boolean {
  const { length } = value
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(length - 1))) return true
  for (let i = 0; i < length; i++) {
    const octet = value.charCodeAt(i)
    if (octet <= CR && (octet === CR || octet === LF || octet === NUL)) return true
  }
  return false
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB
}
