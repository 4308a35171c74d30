/** The plan of the house: packages from top to bottom, and in each its rooms from top to bottom. Imports run downwards. */

/** One package of the workspace, and the rules that it chooses for itself. */
export interface PackagePlan {
  /** The name of its folder in `packages/`. */
  readonly name: string
  /** The folders and files of `src` from top to bottom: a folder's name ends with `/`, a file's goes without `.ts`. */
  readonly rooms?: readonly string[]
  /** Groups of files or folders that take bytes and give values; the files of a group import only each other. */
  readonly engines?: readonly (readonly string[])[]
  /** Files or folders that were written and tested before the code that will need them. */
  readonly ahead?: readonly string[]
  /** Whether it imports no module of Node that opens sockets. */
  readonly isWithoutSockets?: boolean
  /** Whether the tests of the packages below it may import it. */
  readonly isForTests?: boolean
  /** Whether it is never published; such a package may import what supports the tests. */
  readonly isPrivate?: boolean
}

export const plan: readonly PackagePlan[] = [
  { name: 'house', isPrivate: true },
  { name: 'bench', isPrivate: true },
  { name: 'docs', isPrivate: true },
  { name: 'release', isPrivate: true },
  {
    name: 'testing',
    isForTests: true,
    rooms: [
      'index',
      'internal',
      'http-server',
      'websocket',
      'frames',
      'server',
      'leftovers',
      'crashes',
      'peer',
      'turn',
      'place',
      'request-head',
      'certificates',
      'identities',
      'identity',
    ],
  },
  {
    name: 'observer',
    rooms: [
      'index',
      'start',
      'cli',
      'otel',
      'observer',
      'server/',
      'terminal/',
      'telemetry/',
      'metrics/',
      'nodes/',
      'looking/',
      'measuring/',
      'naming/',
      'options',
      'version',
      'words',
      'rows',
    ],
  },
  {
    name: 'gun',
    rooms: [
      'index',
      'internal',
      'pool/',
      'child-spec',
      'functions',
      'await/',
      'connection/',
      'http1/',
      'http2/',
      'tunnel/',
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
    // TLS within a tunnel, SOCKS5 and the option `proxy` will need them.
    engines: [
      ['http1/parser/'],
      ['http2/engine/'],
      ['tunnel/socks/'],
      ['websocket/text', 'websocket/mask', 'websocket/opcode', 'websocket/payload'],
    ],
  },
  {
    name: 'node',
    rooms: [
      'index',
      'worker',
      'nats',
      'workers',
      'spawn-at',
      'node',
      'net-kernel',
      'running-node',
      'options',
      'watch-nodes',
      'nats/',
      'threads/',
      'peer/',
      'handles/',
      'wire/',
      'session/',
      'carrier',
      'signal',
      'identity',
    ],
  },
  {
    name: 'otp',
    isWithoutSockets: true,
    rooms: [
      'index',
      'internal',
      'xstate',
      'application/',
      'supervisor/',
      'task/',
      'gen-server/',
      'registry/',
      'pg/',
      'peers/',
      'keyed-map',
      'silent-body',
      'reports',
      'child-spec',
    ],
  },
  {
    name: 'process',
    isWithoutSockets: true,
    rooms: [
      'index',
      'internal',
      'xstate',
      'insight/',
      'borrowed-call',
      'spawn',
      'process',
      'home',
      'late',
      'registry',
      'narrowing',
      'timeout',
      'options',
      'option-checks',
      'calls/',
      'exits/',
      'mailbox/',
      'patterns/',
      'lives/',
      'host/',
      'suggestion',
      'exit-reason',
      'pid',
      'ref',
      'portable',
      'portable-error',
    ],
  },
]
