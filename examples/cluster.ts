/**
 * A cluster is programs that find each other over NATS: here one counts, another has it count, and hears of it when the first is killed.
 */

import { type ChildProcess, fork, spawn as start } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type NodeChange, named, startNode, stopNode } from '@holster/node'
import { nats } from '@holster/node/nats'
import { type Call, CallError, type Process, reply, spawn } from '@holster/process'

type Counter = Call<{ readonly type: 'add'; readonly n: number }, number>

/** Joins the cluster, whose nodes share the cookie; none may be silent for longer than the tick time. */
async function joinCluster(name: string, servers: string): Promise<void> {
  await startNode({ name, cookie: 'a secret of all nodes', tickTime: 4000, carrier: nats({ servers }) })
}

/** Runs in the first program. */
async function counter(self: Process<Counter>): Promise<void> {
  let sum = 0
  for (;;) {
    const { from, request } = await self.receive([{ type: 'call' }])
    sum += request.n
    reply(from, sum)
  }
}

/** Runs in the second program, which has started the first. */
async function main(self: Process<NodeChange>, first: ChildProcess): Promise<void> {
  self.monitorNode('first')
  // A node that is not there yet is told to be down at once.
  await self.receive([{ type: 'nodedown', node: 'first' }])
  await self.receive([{ type: 'nodeup', node: 'first' }])
  console.log('nodeup: first')

  // A name on another node stands for whoever has it there: that process is called and monitored as if it were here.
  const pid = named<Counter>({ name: 'counter', node: 'first' })
  const ref = self.monitor(pid)
  for (const n of [1, 2, 3]) console.log(`plus ${n} makes ${await self.call(pid, { type: 'add', n })}`)

  first.kill('SIGKILL')
  await once(first, 'exit')
  try {
    await self.call(pid, { type: 'add', n: 4 })
  } catch (error) {
    if (error instanceof CallError) console.log(`plus 4 fails: ${error.reason}`)
  }
  const { reason } = await self.receive([{ type: 'DOWN', ref }])
  console.log(`DOWN: ${reason}`)
  await self.receive([{ type: 'nodedown', node: 'first' }])
  console.log('nodedown: first')
}

/** Starts a NATS server on a free port, which it writes into a file. Gives `undefined` where none is installed. */
async function startServer() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  const program = folders.map(folder => join(folder, 'nats-server')).find(path => existsSync(path))
  if (program === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'))
  const args = ['--addr', '127.0.0.1', '--port', '-1', '--ports_file_dir', folder]
  const server = start(program, args, { stdio: 'ignore' })
  const ended = once(server, 'exit')
  let url: string | undefined
  while (url === undefined && server.exitCode === null) {
    await passed(10)
    const [file] = await readdir(folder)
    const ports = file === undefined ? '' : await readFile(join(folder, file), 'utf8')
    url = /nats:\/\/[\d.:]+(?=")/.exec(ports)?.[0]
  }
  if (url === undefined) throw new Error(`nats-server has ended with code ${server.exitCode}`)
  const stop = async () => {
    server.kill()
    await ended
    await rm(folder, { recursive: true })
  }
  return { url, stop }
}

const [url] = process.argv.slice(2)
if (url !== undefined) {
  spawn(counter, { name: 'counter' })
  await joinCluster('first', url)
} else {
  const server = await startServer()
  if (server === undefined) {
    console.log(
      'This example needs nats-server: apt install nats-server, brew install nats-server, or https://nats.io/download',
    )
  } else {
    const first = fork(fileURLToPath(import.meta.url), [server.url])
    try {
      await joinCluster('second', server.url)
      await spawn<NodeChange>(self => main(self, first)).exited
      await stopNode()
    } finally {
      first.kill('SIGKILL')
      await server.stop()
    }
  }
}
