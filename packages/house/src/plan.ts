/** The plan of the house: packages from top to bottom, and in each its rooms from top to bottom. Imports run downwards. */

/** One package of the workspace; whatever it does not say is left to the package. */
export interface PackagePlan {
  /** The name of its folder in `packages/`. */
  readonly name: string
  /** From top to bottom, every file of `src`: a folder ends with `/`, a file goes without its `.ts`. */
  readonly rooms?: readonly string[]
  /** Parts of rooms that take bytes and give values; each is the names of what belongs together, and imports itself alone. */
  readonly engines?: readonly (readonly string[])[]
  /** Whether it is free of sockets, and of every module of Node that opens one. */
  readonly isWithoutSockets?: boolean
  /** Whether it is never published: it may use the supports of the tests. */
  readonly isPrivate?: boolean
}

export const plan: readonly PackagePlan[] = [
  { name: 'house', isPrivate: true },
  { name: 'bench', isPrivate: true },
  {
    name: 'gun',
    rooms: [
      'index',
      'functions',
      'await/',
      'connection/',
      'http1/',
      'http2/',
      'websocket/',
      'exchange/',
      'layer/',
      'content/',
      'cookies',
      'events/',
      'transport/',
      'options/',
      'messages',
      'handles',
      'errors',
      'headers',
      'octets',
      'words',
    ],
    engines: [
      ['http1/llhttp'],
      ['http2/frames', 'http2/flood'],
      ['websocket/text', 'websocket/mask', 'websocket/opcode', 'websocket/payload'],
    ],
  },
  {
    name: 'process',
    isWithoutSockets: true,
    rooms: [
      'index',
      'internal',
      'xstate',
      'spawn',
      'process',
      'registry',
      'narrowing',
      'exits/',
      'options',
      'mailbox/',
      'patterns/',
      'host/',
      'suggestion',
      'exit-reason',
      'pid',
      'ref',
    ],
  },
]
