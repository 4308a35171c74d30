// Declarations for the parts of Node that are used here and missing from @types/node.

declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
    utf8Write(text: string, offset: number): number
  }
}

export {}
