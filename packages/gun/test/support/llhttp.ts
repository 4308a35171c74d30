// llhttp, as undici builds it: another reader of HTTP/1.1, whose opinion of responses is compared to ours.

import { createRequire } from 'node:module'

/** A message as a reader sees it. */
export interface Seen {
  readonly status: number
  readonly headers: readonly string[]
  body: string
  trailers: readonly string[]
  /** Whether its end has come. */
  isWhole: boolean
}

/** The values that a reader makes of all bytes of a connection. */
export interface Opinion {
  readonly seen: readonly Seen[]
  /** Why it refuses the rest; `undefined` if it does not. */
  readonly refusal: string | undefined
  /** Whether the bytes end within a message. */
  readonly isCutShort?: boolean | undefined
}

const RESPONSE = 2
const PAUSED = 21
const UPGRADED = 22
const REFUSED = -1

type Call = (...args: number[]) => number

// Neither lib.es2023 nor @types/node 20 describes WebAssembly.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
}

interface Callbacks {
  status(text: string): number
  field(text: string): number
  value(text: string): number
  head(status: number): number
  body(text: string): number
  end(): number
}

let active: Callbacks | undefined
const require = createRequire(import.meta.url)
const wasm = new WebAssembly.Module(require('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array)
const env = {
  wasm_on_url: () => 0,
  wasm_on_message_begin: () => 0,
  wasm_on_status: (_: number, at: number, length: number) => active?.status(textAt(at, length)),
  wasm_on_header_field: (_: number, at: number, length: number) => active?.field(textAt(at, length)),
  wasm_on_header_value: (_: number, at: number, length: number) => active?.value(textAt(at, length)),
  wasm_on_headers_complete: (_: number, status: number) => active?.head(status),
  wasm_on_body: (_: number, at: number, length: number) => active?.body(textAt(at, length)),
  wasm_on_message_complete: () => active?.end(),
}
const { exports } = new WebAssembly.Instance(wasm, { env })
const memory = exports.memory as { readonly buffer: ArrayBuffer }
const call = (name: string, ...args: number[]): number => (exports[name] as Call)(...args)

function textAt(at: number, length: number): string {
  return Buffer.from(memory.buffer, at, length).toString('latin1')
}

/** Gives llhttp's opinion of the responses to requests with these methods. */
export function opinionOfLlhttp(methods: readonly string[], bytes: Buffer): Opinion {
  const seen: Seen[] = []
  const fields: string[] = []
  let refusal: string | undefined
  let answered = 0
  let message: Seen | undefined
  let isName = false
  const refuse = (why: string): number => {
    refusal ??= why
    return REFUSED
  }
  const add = (text: string, ofName: boolean): number => {
    if (ofName !== isName || fields.length === 0) fields.push('')
    isName = ofName
    fields[fields.length - 1] += text
    return 0
  }
  const takeFields = (): string[] => {
    isName = false
    return fields.splice(0).map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text.replace(/[ \t]+$/, '')))
  }
  active = {
    status: () => 0,
    field: text => add(text, true),
    value: text => add(text, false),
    head: status => {
      const method = methods[answered]
      if (method === undefined) return refuse('unasked')
      message = { status, headers: takeFields(), body: '', trailers: [], isWhole: false }
      seen.push(message)
      if (status === 101) return refuse('upgrade')
      if (status >= 200) answered++
      return method === 'HEAD' || (method === 'CONNECT' && status >= 200 && status < 300) ? 1 : 0
    },
    body: text => {
      if (message !== undefined) message.body += text
      return 0
    },
    end: () => {
      if (message !== undefined) {
        message.trailers = takeFields()
        message.isWhole = true
      }
      message = undefined
      return PAUSED
    },
  }
  const parser = call('llhttp_alloc', RESPONSE)
  const input = call('malloc', bytes.length + 1)
  try {
    call('llhttp_set_lenient_keep_alive', parser, 1)
    bytes.copy(Buffer.from(memory.buffer), input)
    for (let at = 0; at < bytes.length; ) {
      const result = call('llhttp_execute', parser, input + at, bytes.length - at)
      if (result === 0) break
      if (result !== PAUSED) {
        const reason = call('llhttp_get_error_reason', parser)
        const text =
          reason === 0 ? '' : textAt(reason, Buffer.from(memory.buffer).indexOf(0, reason) - reason)
        refuse(result === UPGRADED ? 'upgrade' : text)
        break
      }
      at = call('llhttp_get_error_pos', parser) - input
      call('llhttp_resume', parser)
    }
    if (refusal === undefined && message !== undefined && call('llhttp_message_needs_eof', parser) !== 0) {
      ;(message as Seen).isWhole = true
    }
    return { seen, refusal }
  } finally {
    call('free', input)
    call('llhttp_free', parser)
    active = undefined
  }
}
