/** Offers permessage-deflate, and judges the server's answer (RFC 7692 section 7.1). */

import type { CompressOpts } from '../options/websocket.js'

const NAME = 'permessage-deflate'

/** RFC 7692 section 7.1.2. */
const MOST_BITS = 15

/** The parameters that both sides go by. */
export interface Agreed {
  /** Whether no message that we send refers to those before it. */
  readonly clientNoContextTakeover: boolean
  /** Whether no message of the server refers to those before it. */
  readonly serverNoContextTakeover: boolean
  /** The bits of our window: our messages refer to at most 2 to that power bytes before; 8 to 15. */
  readonly clientMaxWindowBits: number
  /** The bits of the server's window, in the same way. */
  readonly serverMaxWindowBits: number
}

/** The values that may follow the name of a parameter in an answer. */
interface Form {
  readonly value: RegExp
  readonly rule: string
}

const FLAG: Form = { value: /^$/, rule: 'without a value' }
/** Decimal digits without leading zeroes (section 7.1.2). */
const BITS: Form = { value: /^(?:[89]|1[0-5])$/, rule: 'a number from 8 to 15' }

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['client_no_context_takeover', FLAG],
  ['server_no_context_takeover', FLAG],
  ['client_max_window_bits', BITS],
  ['server_max_window_bits', BITS],
])

// The grammar of RFC 6455 section 9.1. A value in quotes has to be a token as well, once its backslashes are gone.
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]"
const PARAMETER = `[ \\t]*;[ \\t]*(${TOKEN}+)(?:=(?:(${TOKEN}+)|"((?:\\\\?${TOKEN})+)"))?`
const extension = new RegExp(`[ \\t]*(${TOKEN}+)((?:${PARAMETER})*)[ \\t]*(?:,(?!$)|$)`, 'y')
const parameter = new RegExp(PARAMETER, 'g')

/** Returns the value of the header that offers compression. */
export function offerOf(opts: CompressOpts): string {
  const { clientMaxWindowBits, serverMaxWindowBits } = opts
  const parts: string[] = [NAME]
  if (opts.serverNoContextTakeover) parts.push('server_no_context_takeover')
  if (opts.clientNoContextTakeover) parts.push('client_no_context_takeover')
  if (serverMaxWindowBits !== undefined) parts.push(`server_max_window_bits=${serverMaxWindowBits}`)
  // Without a value it says only that the server may set one.
  const bits = clientMaxWindowBits === undefined ? '' : `=${clientMaxWindowBits}`
  parts.push(`client_max_window_bits${bits}`)
  return parts.join('; ')
}

/**
 * Returns the parameters that the answer to the offer of `opts` agrees to. `opts` is `undefined` if nothing was offered. Throws an Error
 * that describes the fault if the answer is no answer to that.
 */
export function judge(opts: CompressOpts | undefined, answer: string): Agreed {
  const params = paramsOf(opts, answer)
  const { clientMaxWindowBits = MOST_BITS, serverMaxWindowBits = MOST_BITS } = opts ?? {}
  const client = bitsOf(params, 'client_max_window_bits', clientMaxWindowBits)
  // The RFC requires the server to repeat this parameter. Servers that do not are common, and any window can be inflated here.
  const server = bitsOf(params, 'server_max_window_bits', serverMaxWindowBits)
  // RFC 7692 section 7.1: a server that cannot fulfil a requested parameter has to decline.
  if (opts?.serverNoContextTakeover && !params.has('server_no_context_takeover')) {
    throw new Error('the answer lacks server_no_context_takeover, which was asked for')
  }
  return {
    // A client that has offered this works without context takeover, whether or not the server repeats it (section 7.1.1.2).
    clientNoContextTakeover:
      opts?.clientNoContextTakeover === true || params.has('client_no_context_takeover'),
    serverNoContextTakeover: params.has('server_no_context_takeover'),
    clientMaxWindowBits: client ?? clientMaxWindowBits,
    serverMaxWindowBits: server ?? MOST_BITS,
  }
}

/** Returns the parameters of the one extension that an answer may name. */
function paramsOf(opts: CompressOpts | undefined, answer: string): ReadonlyMap<string, string> {
  const extensions: (readonly [name: string, params: string])[] = []
  extension.lastIndex = 0
  while (extension.lastIndex < answer.length) {
    const [, name, params = ''] = extension.exec(answer) ?? []
    if (name === undefined) throw new Error('the list of extensions is malformed')
    extensions.push([name, params])
  }
  const [first] = extensions
  const unknown = extensions.find(([name]) => opts === undefined || name !== NAME)
  if (unknown !== undefined) throw new Error(`the extension ${unknown[0]} was not offered`)
  if (first === undefined || extensions.length > 1) {
    throw new Error(`the extension ${NAME} must be accepted once`)
  }
  return checked(first[1])
}

/** Returns the parameters by name; one without a value has the empty one. */
function checked(text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>()
  for (const [, name = '', token, quoted] of text.matchAll(parameter)) {
    const form = FORMS.get(name)
    const value = token ?? quoted?.replaceAll('\\', '') ?? ''
    if (form === undefined) throw new Error(`the parameter ${name} is unknown`)
    if (params.has(name)) throw new Error(`the parameter ${name} must be given once`)
    if (!form.value.test(value))
      throw new Error(`the parameter ${name} must be ${form.rule}, not ${value || 'alone'}`)
    params.set(name, value)
  }
  return params
}

/** Returns the bits that the answer names, if any: at most those that were asked for. */
function bitsOf(params: ReadonlyMap<string, string>, name: string, most: number): number | undefined {
  const value = params.get(name)
  if (value === undefined) return undefined
  if (Number(value) > most) throw new Error(`${name} must be at most ${most}`)
  return Number(value)
}
