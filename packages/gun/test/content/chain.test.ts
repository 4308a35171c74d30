import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setExitHook } from '@holster/process'
import type { ContentHandler, ContentReader, Next } from '../../src/options/content-handler.ts'
import { connPid, scene, settle } from '../support/content.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

const handler = (read: (next: Next) => ContentReader): ContentHandler => ({ init: (_, next) => read(next) })

/** Hands on what comes, marked. */
const mark = (name: string): ContentHandler =>
  handler(next => ({ handle: (isFin, data) => next(isFin, bytes(`${data}${name}`)) }))

const declines: ContentHandler = { init: () => undefined }

interface Gate {
  readonly promise: Promise<void>
  open(): void
  fail(error: unknown): void
}

function gate(): Gate {
  let open!: () => void
  let fail!: (error: unknown) => void
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

test('there is no chain when no handler wants the body', () => {
  assert.equal(scene([]).chain, undefined)
  assert.equal(scene([declines, declines]).chain, undefined)
})

test('a body goes from each handler that wants it to the next one, and at last to the mailbox', () => {
  const { chain, parts } = scene([declines, mark('1'), declines, mark('2'), declines])
  assert.equal(chain?.handle('nofin', bytes('a')), undefined)
  chain?.handle('nofin', bytes(''))
  chain?.handle('fin', bytes('b'))
  assert.deepEqual(parts, [
    ['nofin', 'a12'],
    ['nofin', '12'],
    ['fin', 'b12'],
  ])
})

test('every handler sees the response once, in order', () => {
  const seen: unknown[] = []
  const watch = (name: number): ContentHandler => ({
    init(response) {
      seen.push([name, response])
      return name === 2 ? { handle() {} } : undefined
    },
  })
  const { response } = scene([watch(1), watch(2), watch(3)])
  assert.deepEqual(seen, [
    [1, response],
    [2, response],
    [3, response],
  ])
})

test('nothing follows the last part', () => {
  const { chain, parts } = scene([
    handler(next => ({
      handle() {
        next('fin', bytes('a'))
        next('nofin', bytes('b'))
        next('fin', bytes('c'))
      },
    })),
  ])
  chain?.handle('fin', bytes(''))
  chain?.handle('fin', bytes(''))
  assert.deepEqual(parts, [['fin', 'a']])
})

test('next does nothing after the chain was closed, and readers are closed once', () => {
  let next: Next | undefined
  let closed = 0
  const { chain, parts } = scene([
    handler(given => {
      next = given
      return { handle() {}, close: () => void closed++ }
    }),
    handler(given => ({ handle: given, close: () => void closed++ })),
  ])
  next?.('nofin', bytes('a'))
  chain?.dispose()
  chain?.dispose()
  assert.equal(next?.('nofin', bytes('b')), undefined)
  assert.equal(chain?.handle('fin', bytes('c')), undefined)
  assert.equal(closed, 2)
  assert.deepEqual(parts, [['nofin', 'a']])
})

test('next of a handler that does not want the body does nothing', () => {
  let next: Next | undefined
  const { parts } = scene([
    {
      init(_, given) {
        next = given
        return undefined
      },
    },
    mark('1'),
  ])
  next?.('nofin', bytes('a'))
  assert.deepEqual(parts, [])
})

test('what init throws is thrown, after those before were closed', () => {
  let closed = 0
  const failure = new Error('no')
  const throws: ContentHandler = {
    init() {
      throw failure
    },
  }
  const before = handler(() => ({ handle() {}, close: () => void closed++ }))
  assert.throws(() => scene([before, throws]), failure)
  assert.equal(closed, 1)
})

test('init must not hand on anything, and must give a reader', () => {
  const early = handler(next => {
    next('nofin', bytes('a'))
    return { handle() {} }
  })
  assert.throws(() => scene([early]), /next must not be called/)
  for (const wrong of [null, {}, 1, { handle: 1 }]) {
    assert.throws(() => scene([handler(() => wrong as never)]), /must give \{ handle \} or undefined/)
  }
})

test('what close throws goes to the exit hook, and the others are closed all the same', () => {
  const reports: unknown[] = []
  const before = setExitHook((from, reason) => void reports.push([from, reason]))
  try {
    let closed = 0
    const failure = new Error('no')
    const throws = handler(() => ({
      handle() {},
      close() {
        throw failure
      },
    }))
    const { chain } = scene([throws, handler(() => ({ handle() {}, close: () => void closed++ }))])
    chain?.dispose()
    assert.deepEqual(reports, [[connPid, failure]])
    assert.equal(closed, 1)
  } finally {
    setExitHook(before)
  }
})

test('what a reader throws comes out of handle, even when the one before catches it', async () => {
  const failure = new Error('no')
  const throws = handler(() => ({
    handle() {
      throw failure
    },
  }))
  const rejects = handler(() => ({ handle: () => Promise.reject(failure) }))
  const catches = handler(next => ({
    handle(isFin, data) {
      try {
        void next(isFin, data)
      } catch {}
    },
  }))
  for (const before of [[], [mark('1')], [catches]]) {
    const { chain, parts } = scene([...before, throws])
    assert.throws(() => chain?.handle('nofin', bytes('a')), failure)
    assert.throws(() => chain?.handle('nofin', bytes('b')), failure)
    assert.deepEqual(parts, [])
    const other = scene([...before, rejects])
    await assert.rejects(async () => other.chain?.handle('nofin', bytes('a')), failure)
    assert.throws(() => other.chain?.handle('nofin', bytes('b')), failure)
  }
})

test('handle is pending while any reader is, also when the one before does not wait', async () => {
  const careless = handler(next => ({
    handle(isFin, data) {
      void next('nofin', data)
      void next(isFin, bytes(`${data}!`))
    },
  }))
  for (const before of [mark(''), careless]) {
    const gates: Gate[] = []
    const taken: string[] = []
    const slow = handler(() => ({
      handle(_, data) {
        taken.push(String(data))
        const it = gate()
        gates.push(it)
        return it.promise
      },
    }))
    const { chain } = scene([before, slow])
    let isDone = false
    const handled = Promise.resolve(chain?.handle('nofin', bytes('a'))).then(() => {
      isDone = true
    })
    await settle()
    // One at a time.
    assert.deepEqual(taken, ['a'])
    assert.ok(!isDone)
    for (let i = 0; i < gates.length; i++) {
      assert.ok(!isDone)
      gates[i]?.open()
      await settle()
    }
    await handled
    assert.deepEqual(taken, before === careless ? ['a', 'a!'] : ['a'])
    assert.equal(chain?.handle('nofin', bytes('b')) instanceof Promise, true)
    chain?.dispose()
  }
})

test('closing settles what is pending, and what fails afterwards harms nobody', async () => {
  const it = gate()
  const { chain } = scene([handler(() => ({ handle: () => it.promise }))])
  const handled = chain?.handle('nofin', bytes('a'))
  chain?.dispose()
  await handled
  it.fail(new Error('too late'))
  await settle()
})

test('the mailbox may be the one that has no room', async () => {
  const it = gate()
  const { chain, parts } = scene([mark('1')], [], () => it.promise)
  const handled = chain?.handle('fin', bytes('a'))
  assert.ok(handled instanceof Promise)
  it.open()
  await handled
  assert.deepEqual(parts, [['fin', 'a1']])
})
