/** Every example runs to its end and prints what it promises; so does the first example of the README. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { needing } from '../support/debian-programs.ts'
import { errorsIn, rowsOf } from '../support/erlang-table.ts'
import { type Run, run, runFiles } from '../support/program.ts'
import { websocketServer } from '../support/websocket-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const runScript = (file: string, ...args: string[]): Promise<Run> =>
  run(process.execPath, ['--import', 'tsx', file, ...args], { cwd: root })

const promises: Record<string, readonly string[]> = {
  'websocket.ts': ['gun_up: the connection speaks http', "frame: [ 'text', 'Hello!' ]", 'exited: normal'],
  'upgrade.ts': ['/refused: refused with 404: No WebSocket here', '/websocket: upgraded'],
  'subprotocol.ts': ['the server chose mqtt'],
  'subprotocol-handler.ts': ['stanza 1: <presence/>', 'stanza 2: <message/>'],
  'reupgrade.ts': ['hello again (0)', 'down (2), 0 streams lost', 'hello again (2)'],
  'back-pressure.ts': ['100 echoes of 8 KB, ten at a time; sending paused in between'],
  'whole-response.ts': [
    '200: Hello over HTTP\n3 bytes\n5 bytes\n',
    'too large: limit_reached',
    'given up: nobody wants it any more',
    '(POST /upload) is sent in full, whose body is not complete: nothing of it was given',
    '\n5 bytes\n',
  ],
  'upload.ts': ['the server got 67108864 bytes; sending paused in between'],
  'selective-receive.ts': ['alarm: fire (1 messages were passed over)', 'the shop exited: normal'],
  'server-sent-events.ts': ['tick 1: number 1', 'the stream is over, so on from 2', 'tick 4: number 4'],
  'content-handler.ts': ['Joe', 'Robert', 'Mike', 'that was all'],
  'http2.ts': ['speaks http2', 'this is /a', '/slow is over at the server', 'the server is still there'],
  'reconnect.ts': ['up (3)', 'down, 1 stream lost'],
  'proxy.ts': [
    '200 through a proxy, asked by connect',
    'the tunnel is up and speaks http',
    "[ 'text', 'Hello through the tunnel!' ]",
  ],
  'workers.ts': ['nodes: main.1', '2000 frames echoed, over'],
  'machine-as-owner.ts': ['heard: one, two'],
  'pool.ts': [
    'the pool is operational',
    '96 of 100 wait',
    '100 responses over 4 sockets, the last: you asked for /99',
    '0 wait once their caller has exited',
    'lent: http',
    '0 connections are left',
  ],
  'server.ts': [
    'bought the last one on the shelf\n0 in stock\nbought one fresh from the box\n',
    'the shop ends: normal\nclosed with 2 left\nnobody answers: noproc\n',
  ],
  'supervised-consumer.ts': [
    'subscribing\nnews 1 of the first server\nnews 2 of the first server\n',
    'the connection is lost\n',
    'subscribing\nnews 1 of the second server\nnews 2 of the second server\n0 connections are left\n',
  ],
  'machine-client.ts': ["ready\n[ 'one', 'two' ]\nthree\nlost\nready\nfour\n", 'the client has ended: true'],
  'cluster.ts': [
    'nodeup: first\nplus 1 makes 1\nplus 2 makes 3\nplus 3 makes 6\n',
    'plus 4 fails: noconnection\nDOWN: noconnection\nnodedown: first\n',
  ],
  'market-feed/main.ts': [
    'the archive has 2000 ticks in order',
    'the book has 5000 ticks of 50 symbols in order; S39 has moved most\n',
    'faults of the exchange: drop 42, refusal 36, silence 24, garbage 31, gap 23\n',
  ],
  'rest-service/main.ts': [
    'GET /items/tea: 200 {"path":"/items/tea","size":0}, tries: 4\n',
    'POST /orders: 201 {"path":"/orders","size":14}, tries: 2\nPOST /orders: 502 ',
    'GET /items/coffee: 504 {"status":504,"title":"the deadline has passed"}\n',
    'PUT /files/large: 201 {"path":"/files/large","size":67108864}\n',
    'PUT /files/huge: 413 before all of it was sent\n',
    'GET /items/late: 200 {"path":"/items/late","size":0}, tries: 1, while the service stops\n',
  ],
  'chat-bot/main.ts': [
    'lobby | bot: Ada: what is 6 times 7?\n',
    'lobby | bot: Ada: right\n',
    'lobby | bot: Ada: 1 of 1\n',
    'games | bot: Ben: no, 42\n',
    '7 lines were answered; the bot was dropped (',
  ],
  'many-connections.ts': ['100 echoes, the last: I am number 99', 'all connections have ended'],
}

/** The programs that an example needs, and that may not be installed. */
const needs: Record<string, Parameters<typeof needing>> = { 'cluster.ts': ['nats-server'] }

for (const [file, lines] of Object.entries(promises)) {
  test(`examples/${file} runs to its end`, needing(...(needs[file] ?? [])), async () => {
    const { code, stdout, stderr } = await runScript(join('examples', file))
    assert.equal(stderr, '')
    assert.equal(code, 0)
    for (const line of lines) assert.ok(stdout.includes(line), `${line} is missing in:\n${stdout}`)
  })
}

/** The examples within their folder: files, and the entries of whole programs. */
async function examples(): Promise<string[]> {
  const entries = await readdir(join(root, 'examples'), { withFileTypes: true })
  return entries.flatMap(entry => {
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : [`${entry.name}/main.ts`]
    return entry.name.endsWith('.ts') ? [entry.name] : []
  })
}

test('every example is run by these tests', async () => {
  const others = ['application.ts', 'demo.ts', 'local-server.ts', 'workers-body.ts']
  assert.deepEqual(
    (await examples()).filter(file => !others.includes(file)).sort(),
    Object.keys(promises).sort(),
  )
})

test('every example opens with its idea, in a sentence or two; a whole program has three', async () => {
  for (const file of await examples()) {
    const text = await readFile(join(root, 'examples', file), 'utf8')
    const [, comment = ''] = /^\/\*\*(.*?)\*\/\n/s.exec(text) ?? []
    const lines = comment.split('\n').map(line => line.replace(/^ *\* ?/, '').trim())
    // How the example is run may follow, behind an empty line.
    const [idea = ''] = lines.join('\n').trim().split('\n\n')
    const sentences = idea.match(/[^.]\.(?=\s|$)/g) ?? []
    const most = file.includes('/') ? 3 : 2
    assert.match(idea, /\.$/, file)
    assert.ok(
      sentences.length >= 1 && sentences.length <= most,
      `${file} opens with ${sentences.length} sentences`,
    )
    assert.doesNotMatch(idea, /npx|npm|Run:/, file)
  }
})

test('examples/application.ts serves until SIGTERM, and ends its children in reverse, with code 0', async () => {
  const program = spawn(process.execPath, ['--import', 'tsx', 'examples/application.ts'], { cwd: root })
  const ended = once(program, 'close')
  const log = text(program.stderr)
  const lines: string[] = []
  for await (const line of createInterface({ input: program.stdout })) {
    const [url] = /^http:\S+/.exec(line) ?? []
    if (url === undefined) {
      lines.push(line)
      continue
    }
    for (const n of [1, 2]) assert.equal(await (await fetch(url)).text(), `you are number ${n}\n`)
    program.kill('SIGTERM')
  }
  assert.deepEqual(lines, ['the web server has closed', 'the counter ends at 2'])
  assert.match(await log, /^\S+ SIGTERM: ending in order\n$/)
  assert.deepEqual(await ended, [0, null])
})

/** Runs an example that an observer shows until the test has seen enough, and then interrupts it. */
async function observe(args: readonly string[], see: (url: string) => Promise<void>): Promise<void> {
  const program = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(program, 'close')
  try {
    const lines = createInterface({ input: program.stderr })
    const [line] = (await once(lines, 'line')) as [string]
    assert.match(line, /^Holster observer: http:\/\/127\.0\.0\.1:\d+\/$/)
    await see(line.slice('Holster observer: '.length))
  } finally {
    program.kill('SIGINT')
    await ended
  }
}

/** Gives the measures that an observer has for Prometheus, again and again until they are as wanted. */
async function measured(url: string, isWanted: (text: string) => boolean): Promise<void> {
  while (!isWanted(await (await fetch(new URL('metrics', url))).text()));
}

const isAbove0 = (text: string, name: string): boolean =>
  new RegExp(`^${name}(\\{.*\\})? [1-9]`, 'm').test(text)

test('npm start -- --observe goes on, and an observer shows it', async () => {
  await observe(['examples/websocket.ts', '--observe'], url =>
    measured(url, text => /^holster_connections\{.*protocol="ws".*\} 1$/m.test(text)),
  )
})

test('examples/demo.ts has all that stands out: mailboxes over their marks, failing connections, callers that wait', async () => {
  await observe(['examples/demo.ts'], async url => {
    await measured(url, text => isAbove0(text, 'holster_mailbox_over_mark'))
    await measured(url, text => isAbove0(text, 'holster_pool_waiting'))
    await measured(url, text => /^holster_connections\{.*state="not_connected".*\} [1-9]/m.test(text))
  })
})

test('examples/websocket.ts talks to the server it is given', async () => {
  await using server = await websocketServer()
  const { code, stdout, stderr } = await runScript(
    'examples/websocket.ts',
    `ws://127.0.0.1:${server.port}/any?path`,
  )
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.ok(stdout.includes(`127.0.0.1:${server.port}`), stdout)
})

test('the first example of the README works as it stands', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const { code, stdout, stderr } = await runFiles({ 'readme.ts': example })
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.equal(stdout, "[ 'text', 'Hello!' ]\n")
})

test('the README has a table of twelve rows from Erlang, which compile', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, table = ''] = readme.split('## From Erlang')
  const rows = rowsOf(table.split('\n##')[0] ?? '')
  assert.equal(rows.length, 12)
  assert.deepEqual(await errorsIn(rows), [])
})
