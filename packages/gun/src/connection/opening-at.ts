/** Opens connections on other nodes, for owners of this one. */

import { type Call, call, createProcess, type Pid, type Process, reply } from '@holster/process'
import { needHome, offerBody } from '@holster/process/internal'
import { GunError } from '../errors.js'
import type { ConnPid } from '../handles.js'
import type { GunMessage } from '../messages.js'
import { type ConnectionInput, checkInput } from './beginning.js'
import { isPortable } from './facts.js'
import { openConnection } from './opening.js'

type Opened = { readonly connPid: ConnPid } | { readonly error: unknown }

/** The call that the process which opens a connection for another node answers. */
type Opening = Call<ConnectionInput, Opened>

/** The name by which nodes know the body of that process. */
const OPENER = '@holster/gun:opener'
/** How long in milliseconds such a process waits to be asked. */
const PATIENCE = 60_000

offerBody(OPENER, async (self: Process<Opening>) => {
  const asked = await self.receive([{ type: 'call' }], { timeout: PATIENCE, onTimeout: () => undefined })
  if (asked === undefined) return
  try {
    reply(asked.from, { connPid: openConnection(asked.request) })
  } catch (error) {
    reply(asked.from, { error })
  }
})

/** Implements `openAt` and `openUnixAt` in functions. */
export function openAt(node: string, input: ConnectionInput): Promise<ConnPid> {
  checkInput(input)
  const home = needHome()
  if (node === home.name) return Promise.resolve(openConnection(input))
  const owner = input.opts?.owner ?? createProcess<GunMessage>()
  const all = { ...input, opts: { ...input.opts, owner } }
  checkSendable(all.opts)
  return ask(node, all)
}

async function ask(node: string, input: ConnectionInput): Promise<ConnPid> {
  // A node that has this package elsewhere has loaded it before; others find it where it is here.
  const pid = await needHome().spawnAt(node, import.meta.url, OPENER, [])
  const opened = await call(pid as Pid<Opening>, input, PATIENCE)
  if ('error' in opened) throw opened.error
  return opened.connPid
}

/** Throws a GunError `bad_option` that names the option which cannot be sent to another node. */
function checkSendable({ owner, ...opts }: NonNullable<ConnectionInput['opts']>): void {
  if (!isPortable(owner)) {
    throw new GunError('bad_option', 'options', 'owner must be a process or an xstate actor for another node')
  }
  try {
    needHome().checkSendable(opts, '')
  } catch (cause) {
    const text = (cause as Error).message.replace(/^\./, '')
    throw new GunError('bad_option', 'options', text, { cause })
  }
}
