/**
 * Bundles each package into one file: a program that imports one file starts in half the time of one that imports two hundred.
 * The types come from `tsc`. Run: npm run build
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { buildPage } from './packages/observer/page/build.mjs'

/** The files that each bundle was made of, as `npm run release` reads them to find the licences. */
const bundles = []

for (const name of ['process', 'otp', 'gun', 'node', 'observer', 'testing']) {
  const folder = join(import.meta.dirname, 'packages', name)
  const dist = join(folder, 'dist')
  const { bin = {}, engines, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  // Files that have no source any more must not be published.
  for (const file of readdirSync(dist, { recursive: true })) {
    if (/\.js(\.map)?$/.test(file)) rmSync(join(dist, file))
  }
  const { metafile } = await build({
    absWorkingDir: folder,
    metafile: true,
    entryPoints: [...Object.values(exports).map(entry => entry.default), ...Object.values(bin)].map(file =>
      file.replace('./dist/', 'src/').replace('.js', '.ts'),
    ),
    outdir: 'dist',
    chunkNames: 'shared-[hash]',
    bundle: true,
    // The entries of one package share its classes.
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: engines.node.replace('>=', 'node'),
    sourcemap: true,
    // The sources are published too.
    sourcesContent: false,
  })
  bundles.push({ package: name, folder: `packages/${name}`, inputs: Object.keys(metafile.inputs) })
}
bundles.push({ package: 'observer', folder: 'packages/observer/page', inputs: await buildPage() })
mkdirSync(join(import.meta.dirname, 'build'), { recursive: true })
writeFileSync(join(import.meta.dirname, 'build', 'bundles.json'), JSON.stringify(bundles))
