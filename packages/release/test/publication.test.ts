// A release that an earlier run has begun to publish goes on where that run ended, with the same bytes or not at all.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isPublished, publish, rehearse } from '../src/publication.ts'
import { pack, type Tarball } from '../src/tarball.ts'

const manifest = { name: '@holster/published', version: '0.1.0' }

interface Answer {
  readonly status: number
  readonly text: string
}

/** Packs a package, and has npm ask a registry of the test, which answers with what `respond` makes of the tarball. */
async function packed(t: TestContext, respond: (tarball: Tarball) => Answer): Promise<Tarball> {
  const scratch = await mkdtemp(join(tmpdir(), 'holster-publication-'))
  t.after(() => rm(scratch, { recursive: true }))
  const path = join(scratch, 'package')
  await mkdir(path)
  await writeFile(join(path, 'package.json'), JSON.stringify(manifest))
  const [tarball] = await pack([{ folder: 'package', path, manifest }], scratch)
  assert.ok(tarball !== undefined)
  const { status, text } = respond(tarball)
  const registry = createServer((_request, response) => response.writeHead(status).end(text))
  t.after(() => registry.closeAllConnections())
  t.after(() => registry.close())
  registry.listen(0, '127.0.0.1')
  await once(registry, 'listening')
  const settings = {
    npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
    npm_config_cache: join(scratch, 'cache'),
  }
  const before = { ...process.env }
  t.after(() => {
    for (const name of Object.keys(settings)) delete process.env[name]
    Object.assign(process.env, before)
  })
  Object.assign(process.env, settings)
  return tarball
}

const published = (integrity: string): Answer => {
  const dist = { integrity, tarball: 'http://localhost/a.tgz' }
  const { name, version } = manifest
  const versions = { [version]: { ...manifest, dist } }
  return { status: 200, text: JSON.stringify({ name, 'dist-tags': { latest: version }, versions }) }
}

test('a tarball that an earlier run has published is left out', async t => {
  const tarball = await packed(t, ({ integrity }) => published(integrity))
  assert.deepEqual(await rehearse(tarball), { isFine: true, output: 'published before, and left out' })
  assert.equal(await publish(tarball), false)
})

test('a version that is published with other bytes is refused', async t => {
  const tarball = await packed(t, () => published('sha512-AAAA'))
  const { isFine, output } = await rehearse(tarball)
  assert.equal(isFine, false)
  assert.match(
    output,
    /@holster\/published@0\.1\.0 is published with other bytes, sha512-AAAA and not sha512-/,
  )
  await assert.rejects(publish(tarball), /is published with other bytes/)
})

test('a tarball of which the registry knows nothing is not published', async t => {
  const tarball = await packed(t, () => ({ status: 404, text: '{}' }))
  assert.equal(await isPublished(tarball), false)
})

test('a registry that cannot tell is no registry without the version', async t => {
  const tarball = await packed(t, () => ({ status: 403, text: '{}' }))
  await assert.rejects(isPublished(tarball), /npm cannot tell whether there is @holster\/published@0\.1\.0/)
})
