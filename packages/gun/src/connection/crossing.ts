/** The handles of connections and streams work on every node: there they stand for what is here, and commands come back. */

import { makePortable } from '@holster/process/internal'
import {
  asksForTunnel,
  ConnPid,
  connNumberOf,
  connPidOf,
  lifeOf,
  redirectStream,
  StreamRef,
  sendMarkOf,
  streamNumberOf,
  tunnelOf,
} from '../handles.js'
import type { Command } from '../layer/commands.js'
import { addGuest, OVER, tellOver } from '../layer/guests.js'
import { type ReplyTo, replyToOf } from '../messages.js'
import { merge } from '../options/merge.js'
import { AwayConnection, type AwayMessage, type AwayTarget } from './away.js'
import { Connection } from './connection.js'
import { type Facts, optionFactsOf, portable } from './facts.js'
import { type Question, reply } from './questions.js'

/** Gives the connection behind a handle, which is on this node or on another one. Throws a TypeError that names the argument. */
export const behind = lifeOf as (connPid: ConnPid) => Connection | AwayConnection

/** The details of a stream that other nodes need. */
type StreamDetails = readonly [
  connPid?: ConnPid | undefined,
  recipient?: ReplyTo | undefined,
  sendMark?: number | undefined,
  tunnel?: StreamRef | undefined,
  asksForTunnel?: boolean,
]

makePortable(ConnPid, {
  name: 'Conn',
  numberOf: connNumberOf,
  detailsOf(connPid): Facts {
    const life = behind(connPid)
    return life instanceof AwayConnection ? life.facts : factsOf(life)
  },
  standIn(remote, details, number) {
    const id = remote?.id ?? `#Conn<${number}>`
    return new AwayConnection(remote as AwayTarget | undefined, details as Facts | undefined, id).connPid
  },
  renew(connPid, details) {
    const life = behind(connPid)
    if (life instanceof AwayConnection) life.renew(details as Facts)
  },
  take(connPid, message) {
    const life = behind(connPid)
    if (life instanceof Connection) take(life, message as AwayMessage | Question)
    else life.answer(message as AwayMessage)
  },
})

makePortable(StreamRef, {
  name: 'Stream',
  numberOf: streamNumberOf,
  detailsOf(streamRef): StreamDetails {
    return [
      connPidOf(streamRef),
      portable(replyToOf(streamRef)),
      sendMarkOf(streamRef),
      tunnelOf(streamRef),
      asksForTunnel(streamRef),
    ]
  },
  standIn(remote, details, number) {
    const [connPid, recipient, sendMark, tunnel, isTunnel] = (details ?? []) as StreamDetails
    const id = remote?.id ?? `#Stream<${number}>`
    const streamRef = new StreamRef(connPid ?? lost(), recipient as ReplyTo, sendMark, tunnel, isTunnel, id)
    if (remote !== undefined && isHere(connPid)) addGuest(streamRef, remote)
    return streamRef
  },
  wholeOf: connPidOf,
  take(streamRef, message) {
    const life = behind(connPidOf(streamRef))
    if (message === OVER && life instanceof AwayConnection) life.forget(streamRef)
  },
})

/** Gives the facts about a connection of this node: the same object until they change, as each message is accompanied by them. */
function factsOf(connection: Connection): Facts {
  const { changes, facts, opts, transport } = connection
  if (facts?.[1] === changes) return facts
  const options = facts === undefined ? optionFactsOf(opts, transport) : facts[2]
  const owner = portable(connection.owner)
  connection.facts = options === undefined ? [owner, changes] : [owner, changes, options]
  return connection.facts
}

function isHere(connPid: ConnPid | undefined): boolean {
  return connPid !== undefined && behind(connPid) instanceof Connection
}

/** Gives a connection of which nothing is known any more. */
function lost(): ConnPid {
  return new AwayConnection(undefined, undefined, '#Conn<lost>').connPid
}

function take(connection: Connection, message: AwayMessage | Question): void {
  switch (message.type) {
    case 'perform':
      return perform(connection, message.command)
    case 'cancel':
      adopt(connection, message.streamRef)
      connection.commands.cancel(message.streamRef)
      return tellOver(message.streamRef)
    case 'giveUp':
      connection.giveUp(message.streamRef)
      return tellOver(message.streamRef)
    case 'setOwner':
      return connection.setOwner(message.owner)
    case 'shutdown':
      return connection.shutdown()
    case 'close':
      return connection.close()
    case 'call':
      return reply(connection, message)
  }
}

function perform(connection: Connection, command: Command): void {
  const { streamRef } = command
  if (streamRef !== undefined) adopt(connection, streamRef)
  if (command.type === 'upgrade') {
    const opts = merge(connection.opts.wsOpts ?? {}, command.opts)
    connection.commands.perform({ ...command, opts })
    return
  }
  const isToldToWait = 'isToldToWait' in command ? command.isToldToWait : undefined
  connection.commands.perform(command)
  // The caller was answered on its own node, and waits for room only if it was told to there.
  if ('isToldToWait' in command) command.isToldToWait = isToldToWait
}

/** Has the errors of a stream of which nothing else is known go to the owner. */
function adopt(connection: Connection, streamRef: StreamRef): void {
  if (replyToOf(streamRef) === undefined) redirectStream(streamRef, connection.owner)
}
