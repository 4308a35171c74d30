/**
 * Nodes: a pid works wherever its process lives, in another thread or on another machine. Erlang's distribution.
 * @module
 */

export type { Carrier, CarrierHost, Channel, Parcel, Receiver } from './carrier.js'
export { type PidAt, RemotePid } from './handles/remote.js'
export type { Identity } from './identity.js'
export {
  disconnectNode,
  named,
  node,
  nodes,
  registered,
  type SendOptions,
  send,
  startNode,
  stopNode,
  whereis,
} from './node.js'
export type { NodeOptions, Refusal } from './options.js'
export type { NameAt } from './peer/atlas.js'
export {
  type Body,
  type BodyArgs,
  type BodyMessage,
  type BodyName,
  type ModuleAt,
  moduleAt,
  spawnAny,
  spawnAt,
  spawnLinkAt,
} from './spawn-at.js'
export type { NodeChange } from './watch-nodes.js'
export { type ClassOf, type Codec, registerCodec } from './wire/codec.js'
export { type Workers, type WorkersOptions, workers } from './workers.js'
