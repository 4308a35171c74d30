// A backlog hands events on in order, as long as nobody holds it, and tells its tap when to read and when all is over.

import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { GunError } from '../../src/errors.ts'
import { Backlog } from '../../src/exchange/backlog.ts'
import type { ResponseEvent } from '../../src/exchange/response-event.ts'

// A clock that passes as the test says: however slow the machine is, one call hands on all that nothing else holds back.
let now = 0
mock.method(performance, 'now', () => now)

/** Parts of a body, of which each is told by its length. */
function parts(...lengths: readonly number[]): ResponseEvent[] {
  return lengths.map(part)
}

const part = (length: number): ResponseEvent => ({ type: 'data', data: Buffer.alloc(length), isFin: false })

const broken = new GunError('closed', 'connection_error', 'the line broke')

const noHttp = new GunError('protocol_error', 'connection_error', 'no HTTP')

/** A backlog whose tap and responder note what they are called for; `act` runs within each event, `due` behind it. */
function scene() {
  const told: (number | string)[] = []
  const responder = {
    isFull: false,
    isBusy: false,
    /** How many more events the receiver wants; the responder is full at 0. */
    credit: Number.POSITIVE_INFINITY,
    act: (_length: number): void => {},
    respond(event: ResponseEvent) {
      if (event.type !== 'data') return
      const { length } = event.data
      told.push(length)
      if (--responder.credit <= 0) responder.isFull = true
      responder.act(length)
    },
  }
  const due: (() => void)[] = []
  const tap = {
    beforeReading: (): void => {},
    stopReading: () => void told.push('stop'),
    startReading: () => void told.push('start'),
    guard: (run: () => void) => run(),
    settle: () => {
      for (const run of due.splice(0)) run()
    },
    lost: ({ code }: GunError) => void told.push(code),
  }
  // Asked each time, so that a test can replace the method of the tap.
  const asked = { ...tap, beforeReading: () => tap.beforeReading() }
  const source = {
    coming: [] as ResponseEvent[],
    next: () => source.coming.shift(),
    failure: undefined as GunError | undefined,
  }
  const backlog = new Backlog(asked, responder, source)
  /** Has the source get the events of one read, and perhaps the reason why no other can follow. */
  const read = (events: readonly ResponseEvent[], failure?: GunError) => {
    source.coming.push(...events)
    source.failure = failure
    backlog.advance()
  }
  /** Takes what was noted since the last call. */
  const take = () => told.splice(0)
  return { backlog, source, read, responder, tap, due, take }
}

describe('a backlog that nobody holds', () => {
  test('hands the events of a read on in order, and reads on', () => {
    const { backlog, read, take } = scene()
    read(parts(1, 2, 3))
    assert.deepEqual(take(), [1, 2, 3, 'start'])
    assert.equal(backlog.isEmpty, true)
  })

  test('does what callers have asked for behind each event, before the next', () => {
    const { backlog, read, responder, due, take } = scene()
    const asked: string[] = []
    responder.act = length => {
      asked.push(`within ${length}`)
      due.push(() => asked.push(`behind ${length}`))
    }
    read(parts(1, 2))
    backlog.add(part(3))
    assert.deepEqual(take(), [1, 2, 'start', 3, 'start'])
    assert.deepEqual(asked, ['within 1', 'behind 1', 'within 2', 'behind 2', 'within 3', 'behind 3'])
  })

  test('loses the tap behind the events that came before a parse error', () => {
    const { read, take } = scene()
    read(parts(1), noHttp)
    assert.deepEqual(take(), [1, 'protocol_error'])
  })

  test('loses the tap at once at the last byte of the peer', () => {
    const { backlog, take } = scene()
    backlog.end(undefined)
    assert.deepEqual(take(), ['closed'])
  })
})

describe('a receiver that wants no more', () => {
  test('gets the rest in order when it wants more, behind which is read on', () => {
    const { backlog, read, responder, take } = scene()
    responder.credit = 1
    read(parts(1, 2, 3))
    assert.deepEqual(take(), [1, 'stop'])
    assert.equal(backlog.isEmpty, false)
    responder.isFull = false
    responder.credit = 1
    backlog.advance()
    assert.deepEqual(take(), [2, 'stop'])
    responder.isFull = false
    responder.credit = 2
    backlog.advance()
    assert.deepEqual(take(), [3, 'start'])
  })

  test('gets what comes in the meantime behind what was kept', () => {
    const { backlog, read, responder, take } = scene()
    responder.isFull = true
    for (const length of [1, 2, 3]) read(parts(length))
    assert.deepEqual(take(), ['stop', 'stop', 'stop'])
    responder.isFull = false
    backlog.advance()
    assert.deepEqual(take(), [1, 2, 3, 'start'])
  })

  test('gets what the backlog is given in the meantime behind what was kept', () => {
    const { backlog, responder, take } = scene()
    responder.isFull = true
    for (const length of [1, 2, 3]) backlog.add(part(length))
    assert.deepEqual(take(), ['stop', 'stop', 'stop'])
    responder.isFull = false
    backlog.advance()
    assert.deepEqual(take(), [1, 2, 3, 'start'])
  })

  test('may want more within an event: the events behind that one follow it, and not within it', () => {
    const { backlog, read, responder, take } = scene()
    responder.credit = 1
    let isWithin = false
    responder.act = () => {
      assert.equal(isWithin, false)
      isWithin = true
      responder.isFull = false
      responder.credit = 1
      backlog.advance()
      isWithin = false
    }
    read(parts(1, 2, 3))
    assert.deepEqual(take(), [1, 2, 3, 'start'])
  })

  test('holds back the end of the peer, since it may want more', () => {
    const { backlog, read, responder, take } = scene()
    responder.isFull = true
    read(parts(1))
    backlog.end(undefined)
    assert.deepEqual(take(), ['stop', 'stop'])
    responder.isFull = false
    backlog.advance()
    assert.deepEqual(take(), [1, 'closed'])
  })

  test('holds nothing back from a line that broke', () => {
    const { backlog, read, responder, take } = scene()
    responder.isFull = true
    read(parts(1, 2))
    take()
    backlog.end(broken)
    assert.deepEqual(take().slice(0, 3), [1, 2, 'closed'])
  })

  test('is told of the first end: the socket that closes behind the last byte says nothing new', () => {
    const { backlog, read, responder, take } = scene()
    responder.isFull = true
    read(parts(1))
    backlog.end(undefined)
    take()
    backlog.end(new GunError('timeout', 'connection_error', 'too late'))
    assert.deepEqual(take().slice(0, 2), [1, 'closed'])
  })

  test('tells whoever waits for room, once there is room', async () => {
    const { backlog, responder } = scene()
    assert.equal(backlog.untilFree(), undefined)
    responder.isFull = true
    const told: string[] = []
    const free = backlog.untilFree()?.then(() => told.push('free'))
    backlog.advance()
    await turn()
    assert.deepEqual(told, [])
    responder.isFull = false
    backlog.advance()
    await free
    assert.deepEqual(told, ['free'])
  })
})

test('events stay in their source until they are wanted, but for one once nothing more can come', () => {
  const { backlog, read, responder, source } = scene()
  responder.credit = 1
  read(parts(1, 2, 3, 4))
  assert.equal(source.coming.length, 3)
  responder.isFull = false
  responder.credit = 1
  backlog.advance()
  assert.equal(source.coming.length, 2)
  backlog.pause()
  backlog.lift()
  assert.equal(source.coming.length, 1)
  assert.equal(backlog.isEmpty, false)
})

test('the end alone waits for no mailbox, though the source had to be asked whether anything is left', () => {
  const { backlog, read, responder, take } = scene()
  responder.isFull = true
  backlog.pause()
  read([])
  backlog.end(broken)
  assert.deepEqual(take().slice(-1), ['closed'])
})

describe('a content handler at work', () => {
  test('holds the events behind its own, and the end behind all', () => {
    const { backlog, read, responder, take } = scene()
    responder.act = length => {
      responder.isBusy = length === 1
    }
    read(parts(1, 2))
    backlog.end(broken)
    assert.deepEqual(take(), [1, 'stop', 'stop', 'stop'])
    assert.equal(backlog.isEmpty, false)
    responder.isBusy = false
    backlog.advance()
    assert.deepEqual(take(), [2, 'closed'])
  })
})

describe('a mailbox over its mark', () => {
  test('holds the events until it has room', () => {
    const { backlog, read, take } = scene()
    backlog.pause()
    assert.equal(backlog.isFull, true)
    read(parts(1, 2))
    assert.deepEqual(take(), ['stop'])
    backlog.resume()
    assert.deepEqual(take(), [1, 2, 'start'])
  })

  test('that pauses within an event holds the next one', () => {
    const { backlog, read, responder, take } = scene()
    responder.act = length => {
      if (length === 1) backlog.pause()
    }
    read(parts(1, 2))
    assert.deepEqual(take(), [1, 'stop'])
  })

  test('is asked before each event once nothing more can come, and takes the rest in later turns', async () => {
    const { backlog, read, responder, tap, take } = scene()
    responder.isFull = true
    read(parts(1, 2, 3))
    // Room for one message at a time.
    tap.beforeReading = () => backlog.pause()
    backlog.lift()
    assert.deepEqual(take(), ['stop', 'stop'])
    tap.beforeReading = () => {}
    responder.act = () => backlog.pause()
    for (const next of [1, 2]) {
      backlog.resume()
      assert.deepEqual(take(), [])
      await turn()
      assert.deepEqual(take(), [next, 'stop'])
    }
    backlog.end(broken)
    take()
    backlog.resume()
    await turn()
    assert.deepEqual(take(), [3, 'closed'])
  })
})

test('a read that takes long is handed on in several turns of the event loop, in order', async () => {
  const { read, responder, take } = scene()
  responder.act = () => {
    now += 1
  }
  const lengths = Array.from({ length: 200 }, (_, n) => n + 1)
  read(parts(...lengths))
  const atOnce = take()
  assert.equal(atOnce.pop(), 'stop')
  assert.ok(atOnce.length > 0 && atOnce.length < lengths.length)
  const all = [...atOnce]
  for (let turns = 0; all.length < lengths.length && turns < lengths.length; turns++) {
    await turn()
    all.push(...take().filter(entry => typeof entry === 'number'))
  }
  assert.deepEqual(all, lengths)
})

describe('a backlog that is disposed of', () => {
  test('within an event hands on nothing more of the read, and tells its tap nothing', () => {
    const { backlog, read, due, responder, take } = scene()
    responder.act = length => {
      if (length === 2) due.push(() => backlog.dispose())
    }
    read(parts(1, 2, 3), noHttp)
    assert.deepEqual(take(), [1, 2])
  })

  test('forgets what was kept, and takes nothing more', async () => {
    const { backlog, read, responder, take } = scene()
    responder.isFull = true
    read(parts(1, 2))
    take()
    backlog.lift()
    backlog.pause()
    backlog.resume()
    take()
    backlog.dispose()
    responder.isFull = false
    backlog.advance()
    backlog.add(part(3))
    read(parts(4))
    backlog.end(broken)
    await turn()
    assert.deepEqual(take(), [])
  })

  test('between two turns goes on no more', async () => {
    const { backlog, read, responder, take } = scene()
    responder.act = () => {
      now += 1
    }
    read(parts(...Array.from({ length: 200 }, () => 1)))
    take()
    backlog.dispose()
    await turn()
    assert.deepEqual(take(), [])
  })
})

describe('small parts of a body that are kept', () => {
  /** Takes parts of these lengths while nobody wants them, and gives the lengths in which they come afterwards. */
  function kept(...lengths: readonly number[]): (number | string)[] {
    const { backlog, responder, take } = scene()
    responder.isFull = true
    for (const part of parts(...lengths)) backlog.add(part)
    take()
    responder.isFull = false
    backlog.advance()
    return take().filter(each => each !== 'start')
  }
  const times = (count: number, length: number) => Array.from({ length: count }, () => length)

  test('come one by one up to 63 in a row, and are joined by 64', () => {
    assert.deepEqual(kept(...times(63, 1)), times(63, 1))
    assert.deepEqual(kept(...times(64, 1)), [64])
    assert.deepEqual(kept(...times(130, 2)), [128, 128, 2, 2])
  })

  test('are of 256 bytes at most, and a larger one begins a new row', () => {
    assert.deepEqual(kept(...times(64, 256)), [64 * 256])
    assert.deepEqual(kept(...times(64, 257)), times(64, 257))
    assert.deepEqual(kept(...times(63, 1), 257, ...times(63, 1)), [...times(63, 1), 257, ...times(63, 1)])
  })

  test('are not joined with what is no part of a body, nor with its end', () => {
    const { backlog, responder } = scene()
    const told: string[] = []
    responder.isFull = true
    const respond = responder.respond
    responder.respond = event => {
      told.push(event.type === 'data' ? `${event.data.length} ${event.isFin}` : event.type)
      respond(event)
    }
    const headers: never[] = []
    for (const part of parts(...times(40, 1))) backlog.add(part)
    backlog.add({ type: 'inform', status: 103, headers })
    for (const part of parts(...times(63, 1))) backlog.add(part)
    backlog.add({ type: 'data', data: Buffer.alloc(1), isFin: true })
    responder.isFull = false
    backlog.advance()
    assert.deepEqual(told, [...Array(40).fill('1 false'), 'inform', ...Array(63).fill('1 false'), '1 true'])
  })

  test('keep their bytes in order, also while some are handed on', () => {
    const { backlog, responder } = scene()
    let text = ''
    responder.respond = event => {
      if (event.type === 'data') text += event.data
      responder.isFull = --responder.credit <= 0
    }
    const all = Array.from({ length: 1000 }, (_, i) => `${i} `)
    for (const [i, each] of all.entries()) {
      responder.credit = i % 7
      responder.isFull = responder.credit === 0
      backlog.add({ type: 'data', data: Buffer.from(each), isFin: false })
    }
    responder.credit = Number.POSITIVE_INFINITY
    responder.isFull = false
    backlog.advance()
    assert.equal(text, all.join(''))
  })
})
