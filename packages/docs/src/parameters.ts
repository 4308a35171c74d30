/**
 * Meanings of parameters whose functions do not give them by `@param`: a name means the same in all functions of a package, or of a
 * part of one.
 */

import type { Place } from './places.ts'

/** Meanings by the name of the parameter, for each package; those of a module or a page go before those of its package. */
const MEANINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gun: {
    body: 'The whole body; absent: the body follows through `data`.',
    chunk: 'The next bytes of the body; a string is sent as UTF-8.',
    connPid: 'The connection, as `open` returned it.',
    destination: 'The host and the port that the proxy shall connect to, and what is spoken there.',
    frames: 'A frame, or a list of frames, which are sent in order.',
    headers: 'The header fields: a record, pairs or a `Headers`; names in any case.',
    host: 'A name, or an address without brackets.',
    increment: 'How many messages more may be posted.',
    isFin: "`'fin'`: this is the last part of the body. `'nofin'`: more follows.",
    message: 'A message of the stream.',
    method: 'The method, such as `POST`.',
    monitorRef: 'A monitor of the connection that the caller already holds.',
    newOwner: 'The process or the xstate actor that owns the connection from now on.',
    node: 'The name of the node, as `nodes()` lists it.',
    opts: 'The options; each has a default.',
    path: 'The path, with its query if there is one.',
    port: 'The port, 1 to 65535.',
    reqOpts: 'The options of this request.',
    streamRef: 'The stream, as the request or the upgrade returned it.',
    target: 'A stream, or a connection with all its streams.',
    timeout: 'How long to wait, in milliseconds; a monitor of the connection; or the options.',
    wsOpts: 'The options of this WebSocket, which win over those of `open`.',
  },
  'gun/pool': {
    awaitOpts: 'How long to wait, and the scope of the pool.',
    checkoutOpts: 'How long to wait for a connection of the pool, and for whom.',
    headers: 'The header fields. `host` says which pool is meant.',
    pool: "The pool, as `startPool` returned it, or its authority, such as `'localhost:8080'`.",
    scope: "The scope of the pool. Default `'default'`.",
    stopOpts: 'The scope of the pool, and its transport.',
    streamRef: 'The stream, as a request of the pool returned it.',
    timeout: 'How long to wait, in milliseconds, or the options.',
    wsSendOpts: 'The authority and the scope of the pool.',
  },
  node: {
    args: 'What the body gets; a copy of each is sent.',
    code: 'The address of the module, or what `moduleAt` has made of it.',
    codec: 'How values of a class are taken apart and put together.',
    count: 'How many threads to start.',
    message: 'The message; a copy is sent.',
    name: 'The name of the function that the module exports.',
    node: 'The name of the node, as `nodes()` lists it.',
    options: 'The options; each has a default.',
    self: 'The process that is linked to the new one.',
    timeout: 'How long to wait for the other node, in milliseconds. Default 5000.',
    to: 'A pid, the name of a process here, or a name with its node.',
    url: "The address of the module, such as `new URL('./worker.js', import.meta.url)`.",
  },
  'node/disconnectNode': { name: 'The name of the node, as `nodes()` lists it.' },
  'node/startNode': { options: 'The options, of which only `name` must be given.' },
  'node/whereis': { name: 'The name of the process.' },
  observer: {
    options: 'The options; each has a default.',
    meterProvider: 'Where meters come from.',
    tracerProvider: 'Where tracers come from.',
  },
  testing: {
    bytes: 'What a client has sent.',
    code: 'The code of the close frame.',
    extra: 'More header fields of the response.',
    given: 'A frame, as `wsSend` takes it or a client has sent it.',
    key: 'The value of `sec-websocket-key`.',
    options: 'The options; each has a default.',
    peer: 'The connection, as the script got it.',
    reason: 'The reason, in the frame or in bytes.',
    request: 'The request for the upgrade, or its header fields.',
    respond: 'Gives the response to each request.',
    script: 'Talks to each connection.',
  },
  process: {
    alias: 'The alias that ends.',
    to: 'Who gets the message: a pid, or a name.',
    body: 'The function that is the process: when its promise settles, the process ends.',
    handler: 'Called with the message that fits; what it returns is what `receive` resolves to.',
    isOn: 'Whether to watch the node, or to stop watching it. Default `true`.',
    message: 'The message.',
    ms: 'When, in milliseconds from now.',
    mode: "`'reply'`: the alias ends with its first message. Default `'explicit_unalias'`: with `unalias`.",
    pattern: 'The pattern that a message has to fit.',
    patterns:
      'The patterns, tried in order for each message; the first message that fits any of them is taken.',
    from: 'Who calls: the `from` of the message.',
    name: 'The name.',
    next: 'The new hook; `undefined`: none.',
    on: 'Whether to record.',
    options: 'The options; each has a default.',
    pid: 'The process, or another that takes its place: an xstate actor, a connection, a name where the type allows it.',
    reason: "The reason of the exit; `'normal'`, `'shutdown'` and `['shutdown', cause]` are orderly.",
    request: 'The request; the callee finds it in the field `request`.',
    sink: 'The function that gets each event, or the pid.',
    target: 'The other side: a process, a connection or an xstate actor; `monitor` takes a name, too.',
    ref: 'The reference, as the function that began this returned it.',
    timeout: 'How long to wait, in milliseconds. Default 5000.',
    value: 'The reply, which may be left out where its type is `void`.',
  },
  'process/Process': { name: 'The name of the node.' },
  otp: {
    logic: 'The machine, or other actor logic.',
    message: 'A message that may be the answer.',
    next: 'The new hook; `undefined`: none.',
    options: 'The options; each has a default.',
    reason: "The reason of the exit; `'normal'` by default.",
    report: 'The report.',
    self: 'The process that calls.',
    timeout: 'How long to wait, in milliseconds. Default 5000.',
    tree: 'The children of the root, and how it restarts them.',
  },
  'otp/genServer': {
    args: 'The argument of `init`, which may be left out where `init` takes none.',
    callbacks: 'The functions of the server: `init`, `handleCall` and the others that it needs.',
    from: 'Who called, as `handleCall` got it.',
    id: 'The request, as `sendRequest` returned it.',
    pid: 'The server, or its name.',
    pids: 'The servers, or their names.',
    replace: 'Gives the new state from the old one.',
    request: 'The request, whose `type` names the clause.',
    server: 'The server, as `define` returned it.',
    value: 'The reply, which may be left out where its type is `void`.',
  },
  'otp/genServer/startLink': { self: 'The parent, to which the server is linked.' },
  'otp/genServer/startMonitor': { self: 'The process that monitors the server.' },
  'otp/genServer/sendRequest': { self: 'The process to which the response comes.' },
  'otp/genServer/receiveResponse': { timeout: 'How long to wait, in milliseconds. Default `Infinity`.' },
  'otp/genServer/waitResponse': { timeout: 'How long to wait, in milliseconds. Default `Infinity`.' },
  'otp/genServer/multiCall': { timeout: 'How long to wait, in milliseconds. Default `Infinity`.' },
  'otp/genServer/stop': { timeout: 'How long to wait, in milliseconds. Default `Infinity`.' },
  'otp/supervisor': {
    autoShutdown: 'Which significant children end the supervisor when they end. Absent: not looked at.',
    id: 'The id of the child in its spec, or its pid where that is allowed.',
    options: 'The strategy, the children, and how often these are started anew.',
    self: 'The parent, to which the supervisor is linked.',
    spec: 'The child to start.',
    specs: 'The children.',
    startOptions: 'How the supervisor itself is started: its name.',
    supervisor: 'The supervisor, or its name.',
    timeout: 'How long to wait, in milliseconds. Default `Infinity`.',
  },
  'otp/task': {
    fn: 'The function that the task runs; it gets the process of the task.',
    items: 'What to work on, one after the other: an iterable, or an asynchronous one.',
    self: 'The owner, which waits for the result.',
    task: 'The task, as `async` returned it.',
    tasks: 'The tasks, all of one owner.',
  },
  'otp/task/asyncStream': { fn: 'Called with each item and its process.' },
  'otp/task/asyncStreamNoLink': { fn: 'Called with each item and its process.' },
  'otp/task/shutdown': {
    timeout:
      "How long the task may take to end, in milliseconds, by default 5000; `'brutal_kill'`: it is killed.",
  },
  'otp/task/yieldMany': { options: 'How long to wait for all of them, in milliseconds, or the options.' },
  'otp/registry': {
    key: 'The key: any value, an array or plain object by its parts.',
    pattern: 'The pattern that the value has to match, as `receive` compares.',
    pid: 'The process that is registered.',
    registry: 'The registry, or its name.',
    run: 'Called with the entries of the key.',
    selection: 'Patterns of key and value, and the process; all may be left out.',
    self: 'The process to which the registry is linked.',
    update: 'Gives the new value from the old one.',
    value: 'The value of the entry, which may be left out where its type is `undefined`.',
  },
  'otp/pg': {
    group: 'The name of the group: any value.',
    pids: 'A process, or a list of processes.',
    ref: 'The reference, as `monitor` or `monitorScope` returned it.',
    scope: "The scope. Default `'pg'`.",
    self: 'The process that monitors.',
  },
  'otp/pg/start': { scope: 'The name of the scope.' },
  'otp/pg/startLink': { self: 'The process to which the scope is linked.' },
  'otp/xstate': {
    options: 'The options of `createActor`, or a function that makes them from the process.',
  },
}

const missing = new Set<string>()

/** Gives the meaning of a parameter, which is missing on a page that is used and has none. */
export function meaningOf({ chapter, id }: Place, parameter: string, isUsed: boolean): string {
  const module = id.slice(0, id.lastIndexOf('/'))
  const meaning = [id, module, chapter.name].map(key => MEANINGS[key]?.[parameter]).find(Boolean)
  if (meaning === undefined && isUsed) missing.add(`${id}: ${parameter}`)
  return meaning ?? ''
}

/** Parameters that have no meaning yet, once all pages are written. */
export const meaningless = (): readonly string[] => [...missing]
