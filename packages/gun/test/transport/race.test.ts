import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Race, takingTurns } from '../../src/transport/race.ts'

const v4 = (address: string) => ({ address, family: 4 })
const v6 = (address: string) => ({ address, family: 6 })

test('the families take turns, and that of the first address begins', () => {
  const turns = (...addresses: Parameters<typeof takingTurns>[0]) =>
    takingTurns(addresses).map(({ address }) => address)
  assert.deepEqual(turns(v6('a'), v6('b'), v6('c'), v4('d'), v4('e')), ['a', 'd', 'b', 'e', 'c'])
  assert.deepEqual(turns(v4('a'), v6('b'), v6('c'), v6('d')), ['a', 'b', 'c', 'd'])
  assert.deepEqual(turns(v4('a'), v4('b'), v6('c')), ['a', 'c', 'b'])
  assert.deepEqual(turns(v4('a')), ['a'])
  assert.deepEqual(turns(), [])
})

/** A race of so many sockets, which connect and fail as the test says. */
function race(t: TestContext, count: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sockets: Socket[] = []
  const ends: (readonly [number | undefined, readonly string[]])[] = []
  const begin = () => {
    const socket = new Socket()
    sockets.push(socket)
    return socket
  }
  const attempts = new Array<() => Socket>(count).fill(begin)
  const it = new Race(attempts, 250, (winner, errors) => {
    const number = winner && sockets.indexOf(winner)
    ends.push([number, errors.map(({ message }) => message)])
  })
  return {
    it,
    ends,
    sockets,
    /** What the system says of the socket with that number. */
    connects: (number: number) => sockets[number]?.emit('connect'),
    fails: (number: number) => sockets[number]?.emit('error', new Error(`no ${number}`)),
    open: () => sockets.flatMap((socket, number) => (socket.destroyed ? [] : [number])),
  }
}

describe('a race', () => {
  test('begins an attempt each 250 ms, and those before go on', t => {
    const { sockets, open, connects, ends } = race(t, 3)
    for (const [ms, begun] of [
      [0, 1],
      [249, 1],
      [1, 2],
      [249, 2],
      [1, 3],
      [100_000, 3],
    ] as const) {
      t.mock.timers.tick(ms)
      assert.equal(sockets.length, begun)
    }
    assert.deepEqual(open(), [0, 1, 2])
    connects(1)
    assert.deepEqual(ends, [[1, []]])
    assert.deepEqual(open(), [1])
  })

  test('begins the next attempt at once when one fails, and then waits anew', t => {
    const { sockets, fails, connects, ends } = race(t, 3)
    t.mock.timers.tick(200)
    fails(0)
    assert.equal(sockets.length, 2)
    t.mock.timers.tick(249)
    assert.equal(sockets.length, 2)
    t.mock.timers.tick(1)
    assert.equal(sockets.length, 3)
    connects(2)
    assert.deepEqual(ends, [[2, ['no 0']]])
  })

  test('ends with all errors when all have failed, in whatever order', t => {
    const { fails, ends } = race(t, 3)
    t.mock.timers.tick(500)
    fails(1)
    fails(2)
    assert.deepEqual(ends, [])
    fails(0)
    assert.deepEqual(ends, [[undefined, ['no 1', 'no 2', 'no 0']]])
  })

  test('is won once, by the first of those that connect within one turn', t => {
    const { connects, ends, open, fails } = race(t, 3)
    t.mock.timers.tick(250)
    connects(1)
    connects(0)
    fails(0)
    t.mock.timers.tick(1000)
    assert.deepEqual(ends, [[1, []]])
    assert.deepEqual(open(), [1])
  })

  test('that is given up ends nowhere, and leaves no socket', t => {
    const { it, sockets, connects, fails, ends, open } = race(t, 3)
    t.mock.timers.tick(250)
    fails(0)
    it.abort()
    t.mock.timers.tick(1000)
    connects(1)
    fails(2)
    assert.equal(sockets.length, 3)
    assert.deepEqual([ends, open().filter(number => number !== 0)], [[], []])
    assert.deepEqual(
      it.errors.map(({ message }) => message),
      ['no 0'],
    )
  })

  test('that is given up when it was won leaves no socket either', t => {
    const { it, connects, open } = race(t, 1)
    connects(0)
    assert.deepEqual(open(), [0])
    it.abort()
    assert.deepEqual(open(), [])
  })

  test('goes on behind an attempt that cannot even begin', async () => {
    const socket = new Socket()
    const cannot = () => {
      throw new Error('no way')
    }
    const ended = new Promise(resolve => {
      new Race([cannot, cannot, () => socket], 250, (winner, errors) => resolve([winner, errors.length]))
    })
    setImmediate(() => socket.emit('connect'))
    assert.deepEqual(await ended, [socket, 2])
  })
})
