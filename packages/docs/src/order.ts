/** The order of the pages of the API: in each package the functions by what they are for, as in the guide, and all else by kind. */

/** Functions, and classes with methods, that belong together. */
export interface Group {
  readonly title: string
  /** Paths of names, such as `pool.get`; classes are listed too where their methods are what users call. */
  readonly names: readonly string[]
}

/** A package, or a module of one that is imported by itself. */
export interface Chapter {
  /** The folder of its pages, and its name without `@holster/`. */
  readonly name: string
  /** A sentence about the package. */
  readonly about: string
  /** The names that its examples take for granted, in a sentence. */
  readonly taken?: string
  readonly groups: readonly Group[]
  /** Types of messages that are no `GunMessage`, by the title of their page. */
  readonly messages?: Readonly<Record<string, readonly string[]>>
  /** The class of an error, or the interface that lists its codes. */
  readonly errors?: readonly string[]
  /** Names that only those need who build upon the package: programs have no use for them. */
  readonly extension?: readonly string[]
}

export const chapters: readonly Chapter[] = [
  {
    name: 'gun',
    about: 'The client: connections over HTTP/1.1, HTTP/2, WebSocket and tunnels, and pools of them.',
    taken:
      "In the examples `gun` is the package (`import * as gun from '@holster/gun'`), `self` a process, `connPid` a connection that `self` owns and that is up, `port` the port of a server, and `pool` a pool of connections to it.",
    groups: [
      {
        title: 'Connections',
        names: [
          'open',
          'openUnix',
          'openAt',
          'openUnixAt',
          'awaitUp',
          'info',
          'remoteInfo',
          'connections',
          'setOwner',
          'shutdown',
          'close',
          'childSpec',
        ],
      },
      {
        title: 'Requests',
        names: [
          'get',
          'head',
          'options',
          'delete',
          'patch',
          'post',
          'put',
          'request',
          'headers',
          'data',
          'trailers',
        ],
      },
      {
        title: 'Responses',
        names: ['awaitResponse', 'await', 'awaitBody', 'flush', 'sse', 'decode'],
      },
      {
        title: 'Streams',
        names: ['cancel', 'updateFlow', 'streamInfo', 'remoteStreamInfo', 'ping'],
      },
      { title: 'WebSocket', names: ['wsUpgrade', 'wsSend'] },
      { title: 'Tunnels', names: ['connect'] },
      { title: 'As a machine', names: ['connectionMachine'] },
      {
        title: 'Pools',
        names: [
          'pool.startPool',
          'pool.stopPool',
          'pool.childSpec',
          'pool.awaitUp',
          'pool.info',
          'pool.checkout',
        ],
      },
      {
        title: 'Requests through pools',
        names: [
          'pool.get',
          'pool.head',
          'pool.options',
          'pool.delete',
          'pool.patch',
          'pool.post',
          'pool.put',
          'pool.request',
          'pool.headers',
          'pool.data',
          'pool.trailers',
          'pool.wsSend',
        ],
      },
      {
        title: 'Responses through pools',
        names: [
          'pool.awaitResponse',
          'pool.await',
          'pool.awaitBody',
          'pool.flush',
          'pool.cancel',
          'pool.updateFlow',
          'pool.streamInfo',
        ],
      },
    ],
    messages: { gun_started: ['GunStarted'] },
    errors: ['GunError'],
    extension: [
      'BareMessage',
      'ConnectionInput',
      'ConnectionContext',
      'Setback',
      'Ending',
      'ConnectionMessage',
      'StreamReply',
    ],
  },
  {
    name: 'process',
    about:
      "Erlang's process model: processes with a mailbox, selective receive, calls, monitors, links, names and timers.",
    groups: [
      {
        title: 'Processes',
        names: ['spawn', 'createProcess', 'Process', 'exit', 'isAlive', 'isOrderly', 'setExitHook'],
      },
      { title: 'Calls', names: ['call', 'reply'] },
      {
        title: 'Names and references',
        names: ['register', 'unregister', 'whereis', 'registered', 'makeRef', 'compareByIdentity'],
      },
      {
        title: 'Looking inside',
        names: ['processes', 'processInfo', 'measureMessageWaits', 'trace', 'recordSpawns'],
      },
      { title: 'xstate', names: ['xstate.fromProcess'] },
    ],
    messages: {
      DOWN: ['Down'],
      EXIT: ['Exit'],
      timeout: ['Timeout'],
      call: ['Call'],
      reply: ['Reply'],
    },
    errors: ['CallError', 'ReceiveTimeout', 'ProcessExit'],
    extension: [
      'ActorObserver',
      'ActorSubscription',
      'XstateActor',
      'Monitorable',
      'NoMessageMatches',
      'PatternsAreNoList',
      'PatternsAreNotConst',
      'Narrowed',
      'Checked',
      'CheckedList',
      'PatternList',
      'PatternOrOn',
      'Incoming',
    ],
  },
  {
    name: 'otp',
    about:
      'What OTP builds on processes: servers, supervisors, machines, tasks, registries, process groups, applications.',
    groups: [
      {
        title: 'Servers',
        names: [
          'genServer.define',
          'genServer.start',
          'genServer.startLink',
          'genServer.startMonitor',
          'genServer.childSpec',
          'genServer.call',
          'genServer.cast',
          'genServer.reply',
          'genServer.stop',
          'genServer.sendRequest',
          'genServer.waitResponse',
          'genServer.receiveResponse',
          'genServer.checkResponse',
          'genServer.multiCall',
          'genServer.abcast',
          'genServer.getState',
          'genServer.replaceState',
          'genServer.suspend',
          'genServer.resume',
        ],
      },
      {
        title: 'Supervisors',
        names: [
          'supervisor.startLink',
          'supervisor.start',
          'supervisor.stop',
          'supervisor.childSpec',
          'supervisor.startChild',
          'supervisor.terminateChild',
          'supervisor.restartChild',
          'supervisor.deleteChild',
          'supervisor.whichChildren',
          'supervisor.countChildren',
          'supervisor.getChildspec',
          'supervisor.checkChildspecs',
        ],
      },
      {
        title: 'Tasks',
        names: [
          'task.async',
          'task.asyncNoLink',
          'task.await',
          'task.awaitMany',
          'task.yield',
          'task.yieldMany',
          'task.shutdown',
          'task.ignore',
          'task.asyncStream',
          'task.asyncStreamNoLink',
        ],
      },
      {
        title: 'Registries',
        names: [
          'registry.startLink',
          'registry.start',
          'registry.childSpec',
          'registry.register',
          'registry.unregister',
          'registry.unregisterMatch',
          'registry.whereis',
          'registry.lookup',
          'registry.dispatch',
          'registry.keys',
          'registry.values',
          'registry.match',
          'registry.countMatch',
          'registry.select',
          'registry.count',
          'registry.updateValue',
        ],
      },
      {
        title: 'Process groups',
        names: [
          'pg.start',
          'pg.startLink',
          'pg.childSpec',
          'pg.join',
          'pg.leave',
          'pg.members',
          'pg.localMembers',
          'pg.whichGroups',
          'pg.monitor',
          'pg.monitorScope',
          'pg.demonitor',
        ],
      },
      { title: 'Applications', names: ['application.run', 'application.format', 'setReportHook'] },
      { title: 'Machines', names: ['xstate.fromMachine'] },
    ],
    messages: {
      cast: ['genServer.Cast'],
      timeout: ['genServer.IdleTimeout'],
      system: ['genServer.SystemRequest'],
      task_reply: ['task.TaskReply'],
      groups: ['pg.Change'],
    },
    errors: [
      'SupervisorError',
      'genServer.StartError',
      'genServer.FunctionClauseError',
      'genServer.BadReturnValueError',
      'task.TaskError',
      'registry.AlreadyRegistered',
    ],
    extension: ['genServer.Checks', 'genServer.StateIsOfAnotherType', 'genServer.TermIsOfAnotherType'],
  },
  {
    name: 'node',
    about: 'Pids that work across threads and machines.',
    groups: [
      { title: 'Nodes', names: ['startNode', 'stopNode', 'node', 'nodes', 'disconnectNode', 'workers'] },
      { title: 'Processes elsewhere', names: ['spawnAt', 'spawnLinkAt', 'spawnAny', 'moduleAt'] },
      { title: 'Names', names: ['named', 'whereis', 'registered', 'send'] },
      { title: 'Carriers and codecs', names: ['nats.nats', 'registerCodec'] },
    ],
    messages: { node: ['NodeChange'] },
    extension: [
      'Carrier',
      'CarrierHost',
      'Channel',
      'Parcel',
      'Receiver',
      'Identity',
      'Refusal',
      'BodyArgs',
      'BodyMessage',
      'BodyName',
      'ClassOf',
    ],
  },
  {
    name: 'observer',
    about: 'A page, a terminal view and OpenTelemetry: what lives in a program, and why it waits.',
    groups: [
      { title: 'Start it', names: ['startObserver'] },
      { title: 'OpenTelemetry', names: ['otel.instrument', 'otel.HolsterInstrumentation'] },
    ],
  },
  {
    name: 'testing',
    about: 'Scripted servers and WebSockets, certificates, and checks of what a test leaves behind.',
    groups: [
      { title: 'Servers', names: ['startServer', 'acceptUpgrade', 'startHttpServer', 'certificates'] },
      {
        title: 'Frames as bytes',
        names: [
          'frames.encode',
          'frames.decode',
          'frames.frame',
          'frames.closePayload',
          'frames.receiveFrame',
          'frames.parseClientFrames',
          'frames.switchingProtocols',
          'frames.accept',
          'frames.opcodes',
        ],
      },
      { title: 'What is left', names: ['assertNothingLeft', 'leftovers', 'collectCrashes', 'turn'] },
    ],
    errors: ['ClientGone'],
  },
]
