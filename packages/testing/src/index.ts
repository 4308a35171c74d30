/**
 * Tests of programs on Holster: scripted servers and WebSockets, and checks for crashes and leftovers. Knows no test runner.
 *
 * @module
 */

export { certificates } from './certificates.js'
export { type Crash, type Crashes, collectCrashes } from './crashes.js'
export { type HttpServerOptions, type Respond, startHttpServer } from './http-server.js'
export type { Identity } from './identity.js'
export { assertNothingLeft, type LeftoverOptions, leftovers } from './leftovers.js'
export { ClientGone, type Peer } from './peer.js'
export type { Place, Transport } from './place.js'
export type { RequestHead } from './request-head.js'
export {
  type Script,
  type ScriptedServer,
  type ScriptedServerOptions,
  type ServerOptions,
  startServer,
  type TestServer,
} from './server.js'
export { turn } from './turn.js'
export { type AcceptOptions, acceptUpgrade, type WebSocketPeer } from './websocket.js'
