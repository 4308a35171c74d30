/** The WebAssembly build of llhttp: no other file knows where it lies and how it is called. */

import simd from 'undici/lib/llhttp/llhttp_simd-wasm.js'
import plain from 'undici/lib/llhttp/llhttp-wasm.js'

/** The codes with which llhttp stops; every other code is an error of its own. */
export const code = { ok: 0, paused: 21, upgraded: 22, refused: -1 } as const

/** The answers of `onHeadersComplete`: a body follows, there is none, or the connection leaves HTTP. */
export const after = { body: 0, noBody: 1, upgrade: 2 } as const

/**
 * Takes what a parser finds while it runs. Positions are offsets in the chunk given to {@link Llhttp.execute}. A
 * name, a value or a reason may come in several pieces, one of them empty. `code.refused` stops the run.
 */
export interface Handler {
  /** Called before each run from `offset`, thus also after each message: gives where to start, or -1 to stop. */
  onRun(offset: number): number
  onStatus(start: number, end: number): number
  onHeaderField(start: number, end: number): number
  onHeaderValue(start: number, end: number): number
  onHeadersComplete(status: number): number
  onBody(start: number, end: number): number
  /** Answers `code.paused`, so that the run learns where the message ends, or `code.ok` after an upgrade. */
  onMessageComplete(): number
}

type Call = (...args: number[]) => number

interface Memory {
  readonly buffer: ArrayBuffer
}

// Neither lib.es2023 nor @types/node 20 describes WebAssembly; lib.dom would bring the browser along.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> }
  readonly Memory: new (options: { initial: number }) => Memory
}

interface Exports {
  readonly memory: Memory
  readonly malloc: Call
  readonly free: Call
  readonly llhttp_alloc: Call
  readonly llhttp_free: Call
  readonly llhttp_execute: Call
  readonly llhttp_resume: Call
  readonly llhttp_get_error_pos: Call
  readonly llhttp_get_error_reason: Call
  readonly llhttp_get_http_major: Call
  readonly llhttp_get_http_minor: Call
  readonly llhttp_message_needs_eof: Call
  readonly llhttp_set_lenient_keep_alive: Call
}

const RESPONSE = 2
const PAGE = 4096
// A TLS socket reads at most 64 KiB at a time. A bigger chunk goes in by pieces, since WebAssembly memory never shrinks.
const MAX_REGION = 1 << 20

// The handler of the run under way, and the difference between an address and an offset in the handler's chunk.
let active: Handler | undefined
let shift = 0

let instance: Exports | undefined
let region = 0
let regionSize = 0
let heap = Buffer.alloc(0)

const callbacks = {
  wasm_on_url: () => code.ok,
  wasm_on_message_begin: () => code.ok,
  wasm_on_status: (_parser: number, at: number, length: number) =>
    active?.onStatus(at - shift, at - shift + length),
  wasm_on_header_field: (_parser: number, at: number, length: number) =>
    active?.onHeaderField(at - shift, at - shift + length),
  wasm_on_header_value: (_parser: number, at: number, length: number) =>
    active?.onHeaderValue(at - shift, at - shift + length),
  wasm_on_headers_complete: (_parser: number, status: number) => active?.onHeadersComplete(status),
  wasm_on_body: (_parser: number, at: number, length: number) =>
    active?.onBody(at - shift, at - shift + length),
  wasm_on_message_complete: () => active?.onMessageComplete(),
}

/** Compiles the build for SIMD, or the plain one on a machine without. */
function compile(): object {
  try {
    return new WebAssembly.Module(simd)
  } catch (simdError) {
    try {
      return new WebAssembly.Module(plain)
    } catch (cause) {
      throw unusable('neither of its builds compiles', new AggregateError([simdError, cause]))
    }
  }
}

function unusable(problem: string, cause?: unknown): Error {
  const message = `llhttp cannot be used: ${problem}; install the undici 7 that Holster asks for`
  return new Error(message, cause === undefined ? undefined : { cause })
}

function instantiate(): Exports {
  const module = compile()
  let found: Record<string, unknown>
  try {
    found = new WebAssembly.Instance(module, { env: callbacks }).exports
  } catch (cause) {
    throw unusable('it does not instantiate', cause)
  }
  const call = (name: string): Call => {
    const value = found[name]
    if (typeof value !== 'function') throw unusable(`it lacks the export ${name}`)
    return value as Call
  }
  const { memory } = found
  if (!(memory instanceof WebAssembly.Memory)) throw unusable('it lacks the export memory')
  return {
    memory,
    malloc: call('malloc'),
    free: call('free'),
    llhttp_alloc: call('llhttp_alloc'),
    llhttp_free: call('llhttp_free'),
    llhttp_execute: call('llhttp_execute'),
    llhttp_resume: call('llhttp_resume'),
    llhttp_get_error_pos: call('llhttp_get_error_pos'),
    llhttp_get_error_reason: call('llhttp_get_error_reason'),
    llhttp_get_http_major: call('llhttp_get_http_major'),
    llhttp_get_http_minor: call('llhttp_get_http_minor'),
    llhttp_message_needs_eof: call('llhttp_message_needs_eof'),
    llhttp_set_lenient_keep_alive: call('llhttp_set_lenient_keep_alive'),
  }
}

function allocate(wasm: Exports, size: number): number {
  const address = wasm.malloc(size)
  if (address === 0) throw new Error(`llhttp has no memory left for ${size} bytes`)
  return address
}

function sharedRegion(wasm: Exports, size: number): number {
  if (size > regionSize) {
    const grown = Math.ceil(size / PAGE) * PAGE
    if (region !== 0) wasm.free(region)
    regionSize = 0
    region = 0
    region = allocate(wasm, grown)
    regionSize = grown
  }
  return region
}

function memoryOf(wasm: Exports): Buffer {
  // Growing the memory detaches the old view, which then is empty.
  if (heap.length === 0) heap = Buffer.from(wasm.memory.buffer)
  return heap
}

/** One response parser of llhttp. Holds memory that no garbage collector sees: `dispose` of it. */
export class Llhttp {
  /** Where in the chunk the last run stopped, after `code.upgraded`. */
  stoppedAt = 0
  readonly #wasm: Exports
  #parser: number

  constructor() {
    instance ??= instantiate()
    this.#wasm = instance
    this.#parser = instance.llhttp_alloc(RESPONSE)
    if (this.#parser === 0) throw new Error('llhttp has no memory left for a parser')
    // Whether the connection persists is decided by the caller, who also knows the request. llhttp would end
    // it as well after `connection: close` in a 1xx or in a trailer.
    instance.llhttp_set_lenient_keep_alive(this.#parser, 1)
  }

  /** Parses `chunk` and tells `handler`; gives 0, `code.refused`, `code.upgraded` or an error of llhttp. */
  execute(chunk: Buffer, handler: Handler): number {
    const wasm = this.#wasm
    const outer = active
    const outerShift = shift
    const size = Math.min(chunk.length, MAX_REGION)
    // A run inside another's callback must not overwrite the input that is still being read.
    const input = outer === undefined ? sharedRegion(wasm, size) : allocate(wasm, size)
    active = handler
    try {
      for (let start = 0; start < chunk.length; start += MAX_REGION) {
        const end = Math.min(start + MAX_REGION, chunk.length)
        chunk.copy(memoryOf(wasm), input, start, end)
        const result = this.#run(handler, input - start, start, end)
        if (result !== code.ok) return result
      }
      return code.ok
    } finally {
      active = outer
      shift = outerShift
      if (outer !== undefined) wasm.free(input)
    }
  }

  #run(handler: Handler, origin: number, start: number, end: number): number {
    const wasm = this.#wasm
    let at = start
    for (;;) {
      at = handler.onRun(at)
      if (at === -1) return code.refused
      if (at >= end) return code.ok
      shift = origin
      const result = wasm.llhttp_execute(this.#parser, origin + at, end - at)
      if (result === code.ok) return code.ok
      at = wasm.llhttp_get_error_pos(this.#parser) - origin
      this.stoppedAt = at
      if (result !== code.paused) return result
      wasm.llhttp_resume(this.#parser)
    }
  }

  /** Says in llhttp's own words why it refused the input. */
  reason(): string {
    const start = this.#wasm.llhttp_get_error_reason(this.#parser)
    if (start === 0) return ''
    const memory = memoryOf(this.#wasm)
    return memory.toString('latin1', start, memory.indexOf(0, start))
  }

  /** The version of the message whose head has just ended, as major * 10 + minor. */
  version(): number {
    return (
      this.#wasm.llhttp_get_http_major(this.#parser) * 10 + this.#wasm.llhttp_get_http_minor(this.#parser)
    )
  }

  /** Whether only the end of the connection ends the message (RFC 9112 section 6.3, rule 8). */
  needsEof(): boolean {
    return this.#wasm.llhttp_message_needs_eof(this.#parser) !== 0
  }

  dispose(): void {
    if (this.#parser !== 0) this.#wasm.llhttp_free(this.#parser)
    this.#parser = 0
  }
}
