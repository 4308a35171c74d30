// However a tunnel ends, what is in it ends first, then the tunnel, and then all around it that cannot go on; each once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import type { Kinds } from '../support/tunnel-chains.ts'
import { type Through, through } from '../support/tunnel-scene.ts'

const chains: readonly Kinds[] = [
  ['http', 'http'],
  ['h2c', 'http'],
  ['http', 'h2'],
  ['h2', 'h2'],
  ['http', 'http', 'https'],
  ['http', 'h2c', 'http'],
  ['h2c', 'https', 'h2c'],
  ['h2', 'h2', 'h2'],
  ['h2c', 'socks5', 'https'],
  ['socks5', 'h2', 'h2'],
  ['http', 'h2', 'https', 'h2'],
  ['h2c', 'h2c', 'h2c', 'h2c'],
]

/** Whether a proxy has a stream for each tunnel, so that the way to it outlives them. */
const hasStreams = (kind: string | undefined): boolean => kind === 'h2' || kind === 'h2c'
const isOverHttp2 = (kinds: Kinds): boolean => hasStreams(kinds.at(-1))

interface Busy extends AsyncDisposable {
  readonly it: Through
  /** The names of the streams within the last tunnel, in the order in which they end. */
  readonly inside: readonly string[]
  readonly request: gun.StreamRef | undefined
}

/** A chain whose last tunnel has a WebSocket, and over HTTP/2 a request besides whose answer has begun. */
async function busy(kinds: Kinds): Promise<Busy> {
  const it = await through(kinds)
  it.name('W', gun.wsUpgrade(it.connPid, '/', [], it.through))
  await it.hears('W: gun_upgrade')
  let request: gun.StreamRef | undefined
  if (isOverHttp2(kinds)) {
    request = it.name('R', gun.headers(it.connPid, 'POST', '/echo', [], it.through))
    gun.data(it.connPid, request, 'nofin', 'a')
    await it.hears('R: data a nofin')
  }
  const inside = request === undefined ? ['W'] : ['W', 'R']
  return { it, inside, request, [Symbol.asyncDispose]: () => it[Symbol.asyncDispose]() }
}

/** The names of the streams that end with the tunnel behind proxy `index`, and whether the connection ends too. */
function lost({ it, inside }: Busy, kinds: Kinds, index: number): { names: string[]; isDown: boolean } {
  let first = index
  while (first >= 0 && !hasStreams(kinds[first])) first--
  const isDown = first < 0
  const last = Math.max(first, 0)
  const tunnels = it.tunnels.flatMap((ref, i) => (ref !== undefined && i >= last ? [`T${i + 1}`] : []))
  return { names: [...inside, ...tunnels.reverse()], isDown }
}

/** The streams that were told of errors, in order. */
function failed(told: readonly string[]): string[] {
  return told
    .flatMap(line => /^(\S+): error (?!badstate)/.exec(line)?.[1] ?? [])
    .filter(n => n !== 'connection')
}

/** Waits until all these streams are told of errors, and the connection of its end if it has one. */
async function endsOf({ it }: Busy, names: readonly string[], isDown: boolean): Promise<void> {
  if (isDown) await it.end()
  else await it.until(() => failed(it.told).length >= names.length, `errors of ${names}`)
  assert.deepEqual(failed(it.told), names)
  const downs = it.told.filter(line => line.startsWith('down'))
  assert.equal(downs.length, isDown ? 1 : 0)
  if (!isDown) return
  const [behind = ''] = it.told.slice(
    it.told.findLastIndex(line => line.startsWith(`${names.at(-1)}: error`)) + 1,
  )
  assert.equal(behind, downs[0])
}

for (const kinds of chains) {
  const way = kinds.join(', ')
  const count = kinds.length - 1
  for (const index of new Set([0, count - 1])) {
    for (const how of ['closes', 'resets'] as const) {
      test(`proxy ${index + 1} of ${way} ${how} a tunnel`, async () => {
        await using _left = assertNothingLeft()
        await using _warnings = collectWarnings()
        await using scene = await busy(kinds)
        const { names, isDown } = lost(scene, kinds, index)
        const proxy = scene.it.chain.proxies[index]
        if (how === 'closes') proxy?.closeTunnel()
        else proxy?.resetTunnel()
        await endsOf(scene, names, isDown)
      })
    }
    test(`tunnel ${index + 1} of ${way} is cancelled`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using scene = await busy(kinds)
      const { it } = scene
      const tunnel = it.tunnels[index]
      if (tunnel === undefined) return
      const { names, isDown } = lost(scene, kinds, index)
      gun.cancel(it.connPid, tunnel)
      await endsOf(
        scene,
        names.filter(name => name !== `T${index + 1}`),
        isDown,
      )
      assert.ok(it.told.filter(line => line.includes('error')).every(line => line.endsWith('cancelled')))
    })
  }

  test(`the first proxy of ${way} dies`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using scene = await busy(kinds)
    const { names } = lost(scene, kinds, -1)
    await scene.it.chain.proxies[0]?.close()
    await endsOf(scene, names, true)
    const [down = ''] = scene.it.told.filter(line => line.startsWith('down'))
    assert.equal(down, `down closed, killed: ${names.join(' ')}`)
  })

  test(`a connection through ${way} is closed`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using scene = await busy(kinds)
    const { it } = scene
    const { names } = lost(scene, kinds, -1)
    const before = it.told.length
    gun.close(it.connPid)
    await it.end()
    assert.deepEqual(it.told.slice(before), [
      ...names.map(name => `${name}: error shutdown`),
      'DOWN shutdown',
    ])
  })

  test(`a connection through ${way} is shut down, and what is under way finishes`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using scene = await busy(kinds)
    const { it, request } = scene
    gun.shutdown(it.connPid)
    await it.hears('W: ws close 1001 ')
    if (request !== undefined) gun.data(it.connPid, request, 'fin', 'b')
    await it.end()
    if (request !== undefined) assert.deepEqual(it.of('R').slice(-2), ['data b nofin', 'data  fin'])
    const tunnels = lost(scene, kinds, -1).names.filter(name => name.startsWith('T'))
    assert.deepEqual(failed(it.told), tunnels)
    assert.equal(it.told.at(-1), 'DOWN shutdown')
  })

  for (const reason of ['normal', 'killed'] as const) {
    test(`the owner of a connection through ${way} exits: ${reason}`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      await using scene = await busy(kinds)
      const { it, request } = scene
      if (reason === 'normal') it.owner.exit()
      else it.owner.exit(reason)
      if (request !== undefined) gun.data(it.connPid, request, 'fin', 'b')
      await it.connPid[Symbol.asyncDispose]()
      // Nobody watches the owner.
      assert.equal((await warnings.take()).warnings.length, reason === 'normal' ? 0 : 1)
    })
  }
}
