/** Bundles the page into `dist/page`, with nothing that has to be fetched from elsewhere. */

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chartOf } from './statechart/layout.mjs'

const folder = import.meta.dirname

/** Writes the files of the page, and gives the paths of those that its script was made of. */
export async function buildPage() {
  const dist = join(folder, '..', 'dist', 'page')
  await rm(dist, { recursive: true, force: true })
  await mkdir(dist, { recursive: true })
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: { app: 'main.tsx' },
    outdir: dist,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    metafile: true,
    legalComments: 'none',
    banner: { js: '/*! See app.js.LEGAL.txt for the licences of what is bundled. */' },
    plugins: [statechart],
  })
  await writeFile(join(dist, 'app.js.LEGAL.txt'), await licencesOf(Object.keys(metafile.inputs)))
  await copyFile(join(folder, 'index.html'), join(dist, 'index.html'))
  return Object.keys(metafile.inputs)
}

/** Gives the drawing of the machine of connections as a module, so that neither the machine nor the layout is shipped. */
const statechart = {
  name: 'statechart',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^holster:statechart$/ }, ({ path }) => ({ path, namespace: 'statechart' }))
    onLoad({ filter: /.*/, namespace: 'statechart' }, async () => {
      const { connectionMachine } = await import('../../gun/dist/index.js')
      return { loader: 'json', contents: JSON.stringify(await chartOf(connectionMachine)) }
    })
  },
}

/** Gives the licences of the packages whose files are bundled. */
async function licencesOf(inputs) {
  const packages = new Map()
  for (const input of inputs) {
    const [, root, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input) ?? []
    if (name !== undefined) packages.set(name, join(folder, root))
  }
  const texts = [...packages].sort().map(async ([name, root]) => {
    const { version, license } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const file = (await readdir(root)).find(entry => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? '' : await readFile(join(root, file), 'utf8')
    return `${name} ${version} (${license})\n\n${text.trim()}\n`
  })
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)
}
