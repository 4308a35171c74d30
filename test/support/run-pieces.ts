/** Runs pieces of code of a page one after the other, each with a process and a connection: `tsx run-pieces.ts PORT FILE…`. */

import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import * as gun from '@holster/gun'
import { createProcess, exit, type Process, processes, setExitHook } from '@holster/process'

/** What a piece may use, which the text around it has introduced. */
export interface Given {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** Prints the values, which have to look as the comment says. */
  see(comment: string, ...values: readonly unknown[]): void
}

/** Node puts blanks and lines between brackets and what they hold. */
const tight = (text: string) => text.replace(/\s+/g, ' ').replace(/([[{]) | (?=[\]}])/g, '$1')

function see(comment: string, ...values: readonly unknown[]): void {
  const seen = values.map(value => inspect(value)).join(' ')
  const [word] = /^(true|false|undefined)\b/.exec(comment) ?? []
  assert.equal(tight(seen), word ?? tight(comment))
}

const [port, ...files] = process.argv.slice(2)
const crashes: unknown[] = []
for (const file of files) {
  setExitHook((_pid, reason) => crashes.push(reason))
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', Number(port), { owner: self })
  await gun.awaitUp(connPid)
  const { piece } = (await import(file)) as { piece(given: Given): Promise<void> }
  await piece({ self, connPid, see })
  for (const { connPid } of gun.connections()) gun.close(connPid)
  for (const pid of processes()) exit(pid, 'shutdown')
}
// A piece may end a process on purpose, and lose a connection.
const fault = crashes.find(reason => reason instanceof Error && !(reason instanceof gun.GunError))
if (fault !== undefined) throw fault
// A piece may leave a timer behind, such as that of a signal.
process.exit()
