// The classes of ws that @types/ws leaves out, as far as they are used here.
import type { EventEmitter } from 'node:events'

declare module 'ws' {
  interface FramingOptions {
    readonly binary?: boolean
    readonly compress?: boolean
    readonly fin?: boolean
    readonly mask?: boolean
  }

  class Receiver extends EventEmitter {
    constructor(options: {
      readonly isServer: boolean
      readonly extensions: object
      readonly maxPayload: number
      readonly maxFragments: number
      readonly skipUTF8Validation: boolean
    })
    write(chunk: Uint8Array): boolean
    end(): void
    removeAllListeners(): this
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this
    on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this
    on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this
    on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): this
  }

  class Sender {
    constructor(socket: object, extensions: object)
    send(data: string | Uint8Array, options: FramingOptions): void
    ping(data: string | Uint8Array, mask: boolean): void
    pong(data: string | Uint8Array, mask: boolean): void
    close(code: number | undefined, reason: string | Uint8Array, mask: boolean): void
  }
}
