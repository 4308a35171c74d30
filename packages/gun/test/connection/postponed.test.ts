/** The book of commands that wait for a connection. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { CommandQueue, Postponed } from '../../src/connection/postponed.ts'
import { GunError } from '../../src/errors.ts'
import { ConnPid, StreamRef } from '../../src/handles.ts'
import type { BeginCommand, StreamCommand } from '../../src/layer/commands.ts'

const connPid = new ConnPid(undefined as never)

function request(path: string): BeginCommand & { readonly path: string } {
  const streamRef = new StreamRef(connPid, () => {})
  return {
    type: 'request',
    streamRef,
    method: 'GET',
    path,
    headers: [],
    isChecked: true,
    body: undefined,
    flow: undefined,
  }
}

function dataOf({ streamRef }: { readonly streamRef: StreamRef }, text: string): StreamCommand {
  return { type: 'data', streamRef, isFin: 'nofin', data: Buffer.from(text), isToldToWait: false }
}

/** A book, and what was carried out of it. */
function book() {
  const performed: (BeginCommand | StreamCommand)[] = []
  return { performed, postponed: new Postponed({ performLate: command => performed.push(command) }) }
}

describe('commands that wait', () => {
  test('are carried out in the order in which they were given, once the connection is up', async () => {
    const { performed, postponed } = book()
    const commands = [request('/1'), request('/2'), request('/3')]
    for (const command of commands) postponed.add(command)
    await turn()
    assert.deepEqual(performed, [])
    postponed.start()
    await turn()
    assert.deepEqual(performed, commands)
    assert.ok(postponed.isEmpty)
  })

  test('leave the book as their turn comes, so that the connection is asked for none twice', async () => {
    const seen: number[] = []
    const postponed: Postponed = new Postponed({ performLate: () => seen.push(count()) })
    const commands = [request('/1'), request('/2')]
    const count = () => commands.filter(({ streamRef }) => postponed.has(streamRef)).length
    for (const command of commands) postponed.add(command)
    postponed.start()
    await turn()
    assert.deepEqual(seen, [1, 0])
  })

  test('keep those behind them, that are given meanwhile, behind them', async () => {
    const { performed, postponed } = book()
    const [first, second, third] = [request('/1'), request('/2'), request('/3')]
    postponed.add(first)
    postponed.add(second)
    postponed.start()
    assert.ok(!postponed.isEmpty)
    postponed.add(third)
    await turn()
    assert.deepEqual(performed, [first, second, third])
  })

  test('wait on when the connection is lost between two of them', async () => {
    const performed: (BeginCommand | StreamCommand)[] = []
    const [first, second] = [request('/1'), request('/2')]
    const postponed: Postponed = new Postponed({
      performLate(command) {
        performed.push(command)
        postponed.pause()
      },
    })
    postponed.add(first)
    postponed.add(second)
    postponed.start()
    await turn()
    assert.deepEqual(performed, [first])
    assert.ok(postponed.has(second.streamRef))
    postponed.start()
    await turn()
    assert.deepEqual(performed, [first, second])
  })

  test('of a stream that is removed are never carried out, and the others are', async () => {
    const { performed, postponed } = book()
    const [first, second] = [request('/1'), request('/2')]
    for (const command of [first, dataOf(first, 'a'), second]) postponed.add(command)
    assert.equal(postponed.remove(first.streamRef), true)
    assert.equal(postponed.has(first.streamRef), false)
    assert.equal(postponed.remove(first.streamRef), false)
    postponed.start()
    await turn()
    assert.deepEqual(performed, [second])
  })

  test('of a stream that has begun are not all of it', () => {
    const { postponed } = book()
    const begun = request('/')
    postponed.add(dataOf(begun, 'a'))
    assert.equal(postponed.remove(begun.streamRef), false)
    assert.ok(postponed.isEmpty)
  })

  test('of streams that have begun are given out, and those that begin a stream stay with what belongs to it', () => {
    const { postponed } = book()
    const [begun, waiting] = [request('/1'), request('/2')]
    const rest = dataOf(begun, 'rest')
    for (const command of [rest, waiting, dataOf(waiting, 'body')]) postponed.add(command)
    assert.deepEqual(postponed.takeBegun(), [rest])
    assert.deepEqual([postponed.has(begun.streamRef), postponed.has(waiting.streamRef)], [false, true])
  })

  test('fail once for each stream, however much of it waits, and never run', async () => {
    const { performed, postponed } = book()
    const [first, second] = [request('/1'), request('/2')]
    for (const command of [first, dataOf(first, 'a'), dataOf(first, 'b'), second]) postponed.add(command)
    const failed: [StreamRef, GunError][] = []
    const reason = new GunError('closed', 'connection_error', 'the connection was closed')
    postponed.fail((streamRef, error) => failed.push([streamRef, error]), reason)
    assert.deepEqual(failed, [
      [first.streamRef, reason],
      [second.streamRef, reason],
    ])
    assert.ok(postponed.isEmpty)
    postponed.start()
    await turn()
    assert.deepEqual(performed, [])
  })

  test('that never were are nothing to fail, to remove or to give out', () => {
    const { postponed } = book()
    const { streamRef } = request('/')
    assert.ok(postponed.isEmpty)
    assert.equal(postponed.has(streamRef), false)
    assert.equal(postponed.remove(streamRef), false)
    assert.deepEqual(postponed.takeBegun(), [])
    postponed.fail(() => assert.fail('a stream failed'), new GunError('closed', 'connection_error', ''))
  })
})

describe('the queue of commands', () => {
  test('can be looked into, oldest first', () => {
    const queue = new CommandQueue()
    const commands = [request('/1'), request('/2')]
    for (const command of commands) queue.enqueue(async () => {}, { command })
    assert.equal(queue.size, 2)
    assert.deepEqual(queue.commands, commands)
    assert.equal(queue.filter().length, 2)
  })

  test('passes over what was taken out, of one stream or of many', () => {
    const queue = new CommandQueue()
    const commands = Array.from({ length: 5000 }, (_, i) => request(`/${i}`))
    const last = commands.at(-1) as (typeof commands)[number]
    for (const command of commands) queue.enqueue(async () => {}, { command })
    for (const { streamRef } of commands.slice(0, -1)) assert.equal(queue.take(streamRef).length, 1)
    assert.deepEqual([queue.size, queue.commands], [1, [last]])
    assert.deepEqual(queue.take(commands[0]?.streamRef as StreamRef), [])
    assert.notEqual(queue.dequeue(), undefined)
    assert.deepEqual([queue.dequeue(), queue.size, queue.has(last.streamRef)], [undefined, 0, false])
  })

  test('gives its jobs in the order in which they came, whatever their priority', () => {
    const queue = new CommandQueue()
    const jobs = [async () => {}, async () => {}]
    queue.enqueue(jobs[0] as () => Promise<void>, { command: request('/1'), priority: 0 })
    queue.enqueue(jobs[1] as () => Promise<void>, { command: request('/2'), priority: 9 })
    queue.setPriority()
    assert.deepEqual([queue.dequeue(), queue.dequeue(), queue.dequeue()], [...jobs, undefined])
  })

  test('takes no job of which it is not known which command it is for', () => {
    assert.throws(() => new CommandQueue().enqueue(async () => {}), /which command it is for/)
  })
})
