// The terminal view in a pseudo-terminal: what a person sees of real processes and connections, and what the keys do.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { type Observer, startObserver } from '@holster/observer'
import { createProcess, type Process, register, spawn } from '@holster/process'
import { recordingServer } from '../support/recording-server.ts'
import { isMissing, KEYS, type Session, session } from '../support/terminal.ts'

interface Scene extends AsyncDisposable {
  readonly observer: Observer
  readonly view: Session
}

async function scene(args: readonly string[] = [], size?: Parameters<typeof session>[1]): Promise<Scene> {
  const observer = await startObserver({ log: false })
  const view = await session([...args, observer.url], size)
  return {
    observer,
    view,
    async [Symbol.asyncDispose]() {
      await view[Symbol.asyncDispose]()
      await observer.stop()
    },
  }
}

/** Processes with messages in their mailboxes, until they are disposed of. */
function mailboxes(
  ...counts: readonly (readonly [label: string, messages: number])[]
): Process<number>[] & Disposable {
  const all = counts.map(([label, messages]) => {
    const process = createProcess<number>()
    process.label = label
    for (let message = 0; message < messages; message++) process.send(message)
    return process
  })
  return Object.assign(all, {
    [Symbol.dispose]: () => {
      for (const process of all) process.exit()
    },
  })
}

/** The labels of the rows in the order of the screen. */
const order = (lines: readonly string[]) => lines.flatMap(line => /\b(?:alpha|beta|gamma)\b/.exec(line) ?? [])

describe('the terminal view', { skip: isMissing }, () => {
  test('shows the program and its processes, those with the longest mailboxes first', async () => {
    using _mailboxes = mailboxes(['alpha', 1], ['beta', 3], ['gamma', 2])
    await using it = await scene()
    const lines = await it.view.until(shown => order(shown).length === 3, 'three processes')
    assert.deepEqual(order(lines), ['beta', 'gamma', 'alpha'])
    assert.match(lines[0] as string, new RegExp(`nonode@nohost .* pid ${process.pid}`))
    assert.match(lines[1] as string, /^processes \d+ \(\d+ waiting\) {2}connections \d+ \(\d+ up\)/)
    assert.match(lines[2] as string, /^messages\/s .* backlog 6 .* heap .* delay .* CPU \d+%/)
    assert.match(lines.find(line => line.includes('beta')) as string, /^#Process<\d+>.* 3\b/)
    assert.match(lines.at(-1) as string, /q quit/)
  })

  test('sorts by the column whose key is pressed, and the other way round when it is pressed again', async () => {
    using _mailboxes = mailboxes(['beta', 1], ['gamma', 3], ['alpha', 2])
    await using it = await scene()
    const sorted = (names: string) => it.view.until(shown => order(shown).join(' ') === names, names)
    await sorted('gamma alpha beta')
    it.view.press('m')
    await sorted('beta alpha gamma')
    it.view.press('i')
    await sorted('beta gamma alpha')
    it.view.press('r')
    await sorted('alpha gamma beta')
    it.view.press('>')
    await it.view.line(/NAME↑/)
    it.view.press('<')
    await it.view.line(/ID↑/)
    await sorted('beta gamma alpha')
  })

  test('shows how old the oldest message is, sorts by that, and tells how long messages have waited', async () => {
    using processes = mailboxes(['alpha', 1], ['beta', 3], ['gamma', 0])
    await using it = await scene([], { cols: 120, rows: 30 })
    await it.view.line(/alpha .* >\d+(ms|s)/)
    it.view.press('d')
    await it.view.line(/OLDEST↑/)
    const [, , gamma] = processes
    gamma?.send(1)
    await gamma?.receive([1])
    await it.view.line(/gamma .* \d+ms/)
    it.view.press('w')
    await it.view.line(/WAITED↓/)
    await it.view.until(shown => order(shown)[0] === 'gamma', 'gamma first')
    it.view.press(KEYS.enter)
    await it.view.line(/^Waited +last \d+ms, half at most \d+ms, 99% \d+ms, longest \d+ms/)
    it.view.press(KEYS.escape)
    await it.view.line(/WAITED↓/)
    it.view.press('d')
    await it.view.until(shown => /alpha|beta/.test(order(shown)[0] ?? ''), 'the oldest first')
    it.view.press(KEYS.home)
    it.view.press(KEYS.enter)
    await it.view.line(/^Oldest +more than \d+(ms|s) old/)
  })

  test('shows what changes without a key', async () => {
    using processes = mailboxes(['alpha', 1])
    await using it = await scene()
    await it.view.line(/alpha .* 1\b/)
    processes[0]?.send(2)
    processes[0]?.send(3)
    await it.view.line(/alpha .* 3\b/)
    processes[0]?.exit()
    await it.view.until(shown => order(shown).length === 0, 'the end of the process')
  })

  test('opens a process, follows a link from there, and goes back', async () => {
    const first = spawn<{ type: 'job' }>(self => self.receive([{ type: 'job' }]))
    first.label = 'alpha'
    const second = createProcess<{ type: 'text'; password: string }>()
    second.label = 'beta'
    second.link(first)
    second.send({ type: 'text', password: 'hidden' })
    await using it = await scene()
    await it.view.line(/beta/)
    it.view.press(KEYS.enter)
    await it.view.line(/^Mailbox +1 messages/)
    assert.match(await it.view.line(/type: "text"/), /password: …/)
    assert.ok(!it.view.lines().some(line => line.includes('hidden')))
    const lines = it.view.lines()
    const top = lines.findIndex(line => line.startsWith(second.id) && line.includes(' on '))
    const link = lines.findIndex(line => line.startsWith('Links'))
    it.view.press(...Array(link - top - 1).fill(KEYS.down))
    it.view.press(KEYS.enter)
    await it.view.line(new RegExp(`^${first.id} on `))
    await it.view.line(/type: "job"/)
    it.view.press(KEYS.backspace)
    await it.view.line(new RegExp(`^${second.id} on `))
    it.view.press(KEYS.escape)
    await it.view.line(/MSGS/)
    first.send({ type: 'job' })
    second.exit()
  })

  test('filters as a text is typed, and shows all again', async () => {
    using _mailboxes = mailboxes(['alpha', 1], ['beta', 2], ['gamma', 3])
    await using it = await scene()
    await it.view.until(shown => order(shown).length === 3, 'three processes')
    it.view.press('/', 'BE', 't')
    await it.view.until(shown => order(shown).join() === 'beta', 'one process')
    await it.view.line(/\/BEt.* 1 of \d+/)
    it.view.press(KEYS.enter)
    await it.view.line(/^q quit/)
    it.view.press(KEYS.escape)
    await it.view.until(shown => order(shown).length === 3, 'three processes')
    it.view.press('/', 'nowhere')
    await it.view.line(/nothing contains nowhere/)
  })

  test('scrolls through more processes than there are rows', async () => {
    using _mailboxes = mailboxes(...Array.from({ length: 300 }, (_, index) => [`row-${index}-`, 0] as const))
    await using it = await scene()
    await it.view.line(/row-0-/)
    it.view.press('i')
    await it.view.line(/ID↑/)
    it.view.press(KEYS.end)
    await it.view.line(/row-299-/)
    it.view.press(KEYS.home)
    await it.view.line(/row-0-/)
    it.view.press(...Array(4).fill(KEYS.pageDown))
    await it.view.line(/row-80-/)
    await it.view.until(shown => !shown.some(line => line.includes('row-0-')), 'other rows alone')
  })

  test('shows connections, and the page of one', async () => {
    await using server = await recordingServer()
    const owner = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', server.port, { owner })
    await gun.awaitUp(connPid)
    await using it = await scene()
    await it.view.line(/MSGS/)
    it.view.press(KEYS.tab, '/', `:${server.port}`, KEYS.enter)
    await it.view.line(new RegExp(`^${connPid.id} +connected +http://127.0.0.1:${server.port}`))
    await it.view.line(/1 of \d+/)
    it.view.press(KEYS.enter)
    await it.view.line(/^Attempts +\d+, 0 failed/)
    const streamRef = gun.get(connPid, '/hello')
    await gun.awaitResponse(connPid, streamRef)
    await it.view.line(new RegExp(`^  \\d\\d:\\d\\d:\\d\\d\\.\\d{3} +request .*${streamRef.id}`))
    gun.close(connPid)
    await it.view.line(new RegExp(`^${connPid.id} .* terminated`))
    owner.exit()
  })

  test('shows nodes', async () => {
    await using it = await scene(['--view', 'nodes'])
    await it.view.line(/nonode@nohost \*.* \d+/)
  })

  test('shows names and messages harmlessly, and measures wide characters', async () => {
    const evil = createProcess<string>()
    evil.label = 'evil \x1b[31m\x1b]0;owned\x07\x9b2J\u202e 名前'
    register('wide', evil)
    evil.send('\x1b[2J\x1b]52;c;ZXZpbA==\x07')
    await using it = await scene([], { cols: 115, rows: 30 })
    await it.view.line(/^#Process<\d+> +wide · evil \\x1b\[31m?…? +\S/)
    it.view.press(KEYS.enter)
    await it.view.line(/^Mailbox +1 messages/)
    await it.view.line(/evil \\x1b\[31m\\x1b\]0;owned\\x07\\x9b2J\\u202e 名前 {2}running/)
    for (const sequence of ['\x1b]', '\x07', '\x9b', '\u202e', '\x1b[31m\x1b']) {
      assert.ok(!it.view.bytes.includes(sequence), JSON.stringify(sequence))
    }
    evil.exit()
  })

  test('says that the connection is lost, and goes on when the observer is back', async () => {
    using processes = mailboxes(['alpha', 1])
    const first = await startObserver({ log: false })
    await using view = await session([first.url])
    await view.line(/alpha .* 1\b/)
    await first.stop()
    await view.line(/connection lost, trying again/)
    processes[0]?.send(2)
    const second = await startObserver({ port: first.port, log: false })
    await view.line(/alpha .* 2\b/)
    await view.until(shown => !shown.some(line => line.includes('lost')), 'no loss any more')
    await second.stop()
  })

  for (const [name, key] of [
    ['q', 'q'],
    ['Ctrl-C', KEYS.interrupt],
  ] as const) {
    test(`gives the terminal back as it was when ${name} is pressed`, async () => {
      await using it = await scene()
      await it.view.line(/MSGS/)
      assert.equal(it.view.terminal.buffer.active.type, 'alternate')
      it.view.press(key)
      await it.view.ended
      assert.equal(it.view.terminal.buffer.active.type, 'normal')
      const lines = it.view.lines()
      assert.ok(lines.includes('before'))
      assert.ok(lines.includes('after 0'))
      const settings = lines.join(' ')
      for (const setting of ['icanon', 'echo', 'isig']) assert.match(settings, new RegExp(` ${setting}\\b`))
      assert.ok(it.view.bytes.lastIndexOf('\x1b[?25h') > it.view.bytes.lastIndexOf('\x1b[?25l'))
    })
  }

  test('says what it needs in a terminal that is too small, and fits in when it grows', async () => {
    await using it = await scene([], { cols: 30, rows: 8 })
    await it.view.line(/too small: needs 40×10/)
    it.view.resize({ cols: 60, rows: 12 })
    const lines = await it.view.until(shown => shown.some(line => line.includes('MSGS')), 'the table')
    assert.match(lines.at(-1) as string, /^q quit/)
    assert.ok(!lines.some(line => line.includes('too small')))
    it.view.resize({ cols: 120, rows: 20 })
    await it.view.line(/LINKS/)
    await it.view.until(shown => (shown.at(-1) as string).startsWith('q quit'), 'the foot in the last line')
  })

  test('writes only what has changed', async () => {
    using processes = mailboxes(['alpha', 1], ['beta', 5])
    // There is no room for the age of the oldest message, which changes each second.
    await using it = await scene([], { cols: 60, rows: 30 })
    await it.view.line(/alpha .* 1\b/)
    const before = it.view.bytes.length
    processes[0]?.send(2)
    await it.view.line(/alpha .* 2\b/)
    const written = it.view.bytes.slice(before)
    assert.ok(!written.includes('beta'), JSON.stringify(written))
  })

  test('has no colours where NO_COLOR is set', async () => {
    using _mailboxes = mailboxes(['alpha', 1])
    const observer = await startObserver({ log: false })
    await using view = await session([observer.url], undefined, { NO_COLOR: '1' })
    await view.line(/alpha/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: codes of colours are what is looked for.
    assert.doesNotMatch(view.bytes, /\x1b\[3[0-9]m/)
    await observer.stop()
  })
})
