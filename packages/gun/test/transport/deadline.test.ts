import assert from 'node:assert/strict'
import net from 'node:net'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Deadline } from '../../src/transport/deadline.ts'

/** Keeps this program busy, so that no timer fires and no socket is read. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('a deadline', () => {
  test('concludes once its time has passed, and a turn in which what has come is read', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let isOver = false
    new Deadline(1000, () => {
      isOver = true
    })
    t.mock.timers.tick(999)
    await turn()
    assert.ok(!isOver)
    t.mock.timers.tick(1)
    assert.ok(!isOver)
    await turn()
    assert.ok(isOver)
  })

  test('concludes nothing once it was cleared, nor when that comes as it looks', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    for (const early of [0, 1000]) {
      const deadline = new Deadline(1000, () => assert.fail('it has concluded'))
      t.mock.timers.tick(early)
      deadline.clear()
      deadline.clear()
      t.mock.timers.tick(10_000)
      await turn()
      await turn()
    }
  })

  test('of Infinity concludes nothing', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    new Deadline(Number.POSITIVE_INFINITY, () => assert.fail('it has concluded'))
    t.mock.timers.tick(2 ** 31)
    await turn()
  })

  test('sees what has come while the program was busy, and gives the peer that time once more', async () => {
    const server = net.createServer(socket => socket.end('the answer'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
    const said: string[] = []
    await new Promise<void>(resolve => {
      // Two turns of the event loop at least: to connect, and to read.
      const deadline = new Deadline(100, () => {
        said.push('silence')
        resolve()
      })
      socket.on('data', bytes => {
        said.push(String(bytes))
        deadline.clear()
        resolve()
      })
      block(300)
    })
    assert.deepEqual(said, ['the answer'])
    socket.destroy()
    server.close()
  })

  test('concludes in the end, however busy the program was', async () => {
    await new Promise<void>(resolve => {
      new Deadline(20, resolve)
      block(150)
    })
  })

  test('gives at most as much time again, however often the program is busy as it passes', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let now = 0
    t.mock.method(performance, 'now', () => now)
    let isOver = false
    new Deadline(100, () => {
      isOver = true
    })
    for (const wait of [100, 60, 40]) {
      t.mock.timers.tick(wait - 1)
      await turn()
      assert.ok(!isOver)
      // So late fires the timer.
      now += wait + 60
      t.mock.timers.tick(1)
      assert.ok(!isOver)
      await turn()
    }
    assert.ok(isOver)
  })
})
