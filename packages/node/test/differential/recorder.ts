// A process that does what it is told, and remembers what it hears. ./node_peer.erl has the same.

import {
  type Down,
  type Exit,
  type MonitorTarget,
  P,
  type Pid,
  type Process,
  type Ref,
} from '@holster/process'

export type Recorder = Pid<Told> & MonitorTarget

/** The orders to a process, and the messages that it hears. */
export type Told =
  | { readonly type: 'names'; readonly names: ReadonlyMap<unknown, number> }
  | { readonly type: 'do'; readonly kind: string; readonly args: readonly unknown[] }
  | { readonly type: 'greet'; readonly others: readonly Recorder[] }
  | { readonly type: 'hello' | 'hello_back'; readonly from: Recorder }
  | { readonly type: 'say'; readonly from: Recorder; readonly what: string }

/** The message to the driver. */
export interface Greeted {
  readonly type: 'greeted'
  readonly from: Recorder
  readonly heard: readonly string[]
}

/** Runs the process. */
export async function recorder(self: Process<Told>, driver: Pid<Greeted>): Promise<void> {
  const { names } = await self.receive([{ type: 'names' }])
  await new Recording(self, driver, names).run()
}

class Recording {
  private readonly self: Process<Told>
  private readonly driver: Pid<Greeted>
  private readonly names: ReadonlyMap<unknown, number>
  private monitors: { ref: Ref; pid: unknown }[] = []
  private heard: string[] = []
  private readonly greeted = new Map<unknown, unknown>()

  constructor(self: Process<Told>, driver: Pid<Greeted>, names: ReadonlyMap<unknown, number>) {
    this.self = self
    this.driver = driver
    this.names = names
  }

  async run(): Promise<void> {
    for (;;) {
      const message = (await this.self.receive([P._])) as Told | Down | Exit
      // A body that is ended while it takes a message goes on, and must not answer any more.
      if (this.self.isAlive) this.take(message)
    }
  }

  private take(message: Told | Down | Exit): void {
    const { self, names } = this
    switch (message.type) {
      case 'do':
        return this.do(message.kind, message.args)
      case 'greet':
        for (const pid of message.others) {
          this.greeted.set(self.monitor(pid), pid)
          pid.send({ type: 'hello', from: self as Recorder })
        }
        return this.answered()
      case 'hello':
        return message.from.send({ type: 'hello_back', from: self as Recorder })
      case 'hello_back': {
        const [ref] = [...this.greeted].find(([, pid]) => pid === message.from) ?? []
        self.demonitor(ref as never)
        this.greeted.delete(ref)
        return this.answered()
      }
      case 'DOWN':
        if (this.greeted.delete(message.ref)) return this.answered()
        this.monitors = this.monitors.filter(({ ref }) => ref !== message.ref)
        return void this.heard.push(`DOWN ${names.get(message.pid)} ${message.reason}`)
      case 'EXIT':
        return void this.heard.push(`EXIT ${names.get(message.from)} ${message.reason}`)
      case 'say':
        return void this.heard.push(`${message.what} from ${names.get(message.from)}`)
    }
  }

  private answered(): void {
    if (this.greeted.size > 0) return
    this.driver.send({ type: 'greeted', from: this.self as Recorder, heard: this.heard })
    this.heard = []
  }

  private do(kind: string, args: readonly unknown[]): void {
    const { self } = this
    const [first, second] = args
    const pid = first as Recorder
    if (kind === 'send') pid.send({ type: 'say', from: self as Recorder, what: String(second) })
    if (kind === 'monitor') this.monitors.unshift({ ref: self.monitor(pid), pid })
    if (kind === 'demonitor') {
      const found = this.monitors.find(monitor => monitor.pid === pid)
      if (found !== undefined) self.demonitor(found.ref as never)
      this.monitors = this.monitors.filter(monitor => monitor !== found)
    }
    if (kind === 'link') self.link(pid)
    if (kind === 'unlink') self.unlink(pid)
    if (kind === 'trap') self.trapExit = first === true
    if (kind === 'exit') self.exit(first)
    if (kind === 'signal') self.exit(pid, second)
  }
}
