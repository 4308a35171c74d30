/** Writes the pages of the API, those of the examples, and the navigation: npm run docs. Fails if anything is missing. */

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readExamples } from './examples.ts'
import { faultsIn } from './faults.ts'
import { galleryPages } from './gallery.ts'
import { indexes } from './indexes.ts'
import { pageOf } from './page.ts'
import { meaningless } from './parameters.ts'
import { Places } from './places.ts'
import { readProject } from './project.ts'

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))

const places = new Places(await readProject())
const book = { places, examples: readExamples() }
const pages = new Map(places.all.map(place => [`api/${place.id}.md`, pageOf(place, book)]))
for (const [path, text] of [...indexes(places), ...galleryPages()]) pages.set(path, text)

const faults = [
  ...faultsIn(book),
  ...meaningless().map(parameter => `${parameter} is a parameter without a meaning`),
]
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1

for (const folder of ['api', 'examples']) await rm(join(docs, folder), { recursive: true, force: true })
for (const [path, text] of pages) {
  await mkdir(dirname(join(docs, path)), { recursive: true })
  await writeFile(join(docs, path), text)
}
