// Declarations for the parts of ws and node that are used here and missing from @types/ws and @types/node.

declare module 'ws' {
  interface DeflateParams {
    server_no_context_takeover?: boolean
    client_no_context_takeover?: boolean
    server_max_window_bits?: number
    client_max_window_bits?: number
  }

  class PerMessageDeflate {
    static readonly extensionName: 'permessage-deflate'
    constructor(options: {
      readonly isServer: boolean
      readonly serverNoContextTakeover?: boolean
      readonly clientNoContextTakeover?: boolean
      readonly serverMaxWindowBits?: number
      readonly clientMaxWindowBits?: number
    })
    offer(): object
    accept(answers: readonly object[]): DeflateParams
  }

  const extension: {
    format(extensions: object): string
    parse(header: string): Record<string, Record<string, (string | true)[]>[]>
  }
}

declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
    utf8Write(text: string, offset: number): number
  }
}

export {}
