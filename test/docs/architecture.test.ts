/** The page about the architecture lists the rooms of the plan of the house, in the order of the plan. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plan } from '../../packages/house/src/plan.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = await readFile(join(root, 'docs/architecture.md'), 'utf8')

for (const { name, rooms = [] } of plan.filter(each => each.rooms !== undefined)) {
  test(`docs/architecture.md lists the rooms of ${name} from top to bottom`, () => {
    const [, section = ''] = page.split(`## The rooms of ${name}\n`)
    const rows = (section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)` /gm)
    assert.deepEqual(
      [...rows].map(([, room]) => room),
      rooms,
    )
  })
}
