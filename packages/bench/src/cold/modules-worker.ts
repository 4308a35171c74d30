/** Imports packages, and answers with the number and size of the files that V8 has been given for it. */

import { statSync } from 'node:fs'
import { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import type { ImportSize } from './contract.ts'

const files = new Set<string>()
const session = new Session()
session.connect()
session.on('Debugger.scriptParsed', ({ params: { url } }) => {
  if (url.startsWith('file:')) files.add(fileURLToPath(url))
})
session.post('Debugger.enable')
// The debugger names the scripts that are there already, such as this file, and those are not the import's.
files.clear()
for (const specifier of process.argv.slice(2)) await import(specifier)
session.disconnect()
const bytes = [...files].reduce((sum, file) => sum + statSync(file).size, 0)
console.log(JSON.stringify({ modules: files.size, kilobytes: bytes / 1024 } satisfies ImportSize))
