// The functions of a test's nodes: each is called there by its name, and gives what can be sent.

import * as gun from '@holster/gun'
import {
  type Call,
  call as callProcess,
  createProcess,
  type Pid,
  type Process,
  type ProcessOptions,
} from '@holster/process'

/** Asks for a job by its name. */
export type Request = Call<{ readonly job: string; readonly args: readonly unknown[] }, unknown>

type Job = (...args: readonly never[]) => unknown

const held = new Map<string, unknown>()

/** Keeps a value under a name, and gives it. */
export function keep<T>(name: string, value: T): T {
  held.set(name, value)
  return value
}

/** Gives what is kept under a name. */
export function kept(name: string): unknown {
  return held.get(name)
}

/** Whether what is kept is the same as what has come. */
export function isSame(name: string, value: unknown): boolean {
  return held.get(name) === value
}

export function drop(name: string): void {
  held.delete(name)
}

/** Makes a process that receives only when a test says so. */
export function makeProcess(name: string, options: ProcessOptions = {}): Process<gun.GunMessage> {
  return keep(name, createProcess<gun.GunMessage>(options))
}

const processNamed = (name: string) => held.get(name) as Process<gun.GunMessage>

/** The next message of a process that matches. */
export function receive(name: string, pattern: object, timeout = 20_000): Promise<unknown> {
  return processNamed(name).receive([pattern as never], timeout)
}

/** Takes all parts of a body, or all binary frames before a text, and counts their bytes. */
export async function drain(name: string): Promise<number> {
  const self = processNamed(name)
  for (let bytes = 0; ; ) {
    const message = await self.receive([{ type: 'gun_data' }, { type: 'gun_ws' }])
    if (message.type === 'gun_data') {
      bytes += message.data.length
      if (message.isFin === 'fin') return bytes
    } else {
      if (message.frame[0] !== 'binary') return bytes
      bytes += message.frame[1].length
    }
  }
}

export function waiting(name: string): number {
  return processNamed(name).messageQueueLength
}

/** Has a job done by another node, so that the answer comes behind all that is on the way between the two. */
export async function relay(to: Pid<Request>, job: string, ...args: unknown[]): Promise<unknown> {
  const { value } = (await callProcess(to, { job, args }, 60_000)) as { value: unknown }
  return value
}

export function exit(name: string, reason: unknown): void {
  processNamed(name).exit(reason)
}

/** Opens a connection here. */
export function open(host: string, port: number, opts: gun.Opts): gun.ConnPid {
  return keep('connPid', gun.open(host, port, opts))
}

const functions = gun as unknown as Readonly<Record<string, Job>>

/** Calls a function of the client. */
export function call(name: string, ...args: readonly unknown[]): unknown {
  return functions[name]?.(...(args as never[]))
}

/** How much memory this thread has, in bytes. */
export function memory(): { heap: number; external: number } {
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, external: Math.max(external, arrayBuffers) }
}

/** Ends the thread as a crash would. */
export function crash(): never {
  process.exit(1)
}

export function send(to: Pid<unknown>, message: unknown): void {
  to.send(message)
}
