// The compiler checks what is spawned on other nodes, through the type of its module.

import { test } from 'node:test'
import { moduleAt, type PidAt, spawnAny, spawnAt, spawnLinkAt, whereis } from '@holster/node'
import type { Pid, Process } from '@holster/process'
import { expectTypeOf } from 'expect-type'
import type { Counter, Echo } from './support/bodies.ts'

const bodies = moduleAt<typeof import('./support/bodies.ts')>(new URL('./support/bodies.ts', import.meta.url))

/** Calls nothing: what stands in it is for the compiler alone. */
function compiles(_: () => unknown): void {}

test('a pid takes the messages of the body that it was spawned from', () => {
  compiles(async () => {
    expectTypeOf(await spawnAt('a', bodies, 'echo')).toEqualTypeOf<PidAt<Echo>>()
    expectTypeOf(await spawnAny(bodies, 'counter', 1)).toEqualTypeOf<PidAt<Counter>>()
    expectTypeOf(await spawnAt('a', new URL('file:///a.js'), 'any', 1, 'two')).toEqualTypeOf<PidAt<unknown>>()
    expectTypeOf(await whereis<Echo>('a', 'b')).toEqualTypeOf<PidAt<Echo> | undefined>()
  })
})

test('names and arguments that are wrong do not compile', () => {
  compiles(async () => {
    // @ts-expect-error No body has this name.
    await spawnAt('a', bodies, 'nobody')
    // @ts-expect-error A class is no body.
    await spawnAt('a', bodies, 'Money')
    // @ts-expect-error The counter begins with a number.
    await spawnAt('a', bodies, 'counter', 'one')
    // @ts-expect-error The counter needs an argument.
    await spawnAny(bodies, 'counter')
    // @ts-expect-error The echo takes none.
    await spawnAny(bodies, 'echo', 1)
  })
})

test('a process of another node is called as one of this node', () => {
  compiles(async () => {
    const self = {} as Process<Echo>
    const pid = await spawnLinkAt(self, 'a', bodies, 'counter', 1)
    expectTypeOf(await self.call(pid, { type: 'add', n: 1 })).toEqualTypeOf<number>()
    // @ts-expect-error The counter knows no such request.
    await self.call(pid, { type: 'subtract', n: 1 })
    self.monitor(pid)
    self.link(pid)
    expectTypeOf(pid.node).toEqualTypeOf<string>()
    expectTypeOf(pid).toExtend<Pid<Counter>>()
  })
})
