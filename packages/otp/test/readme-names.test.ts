// The README names every function and class of the package.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import * as otp from '../src/index.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const codes =
  readme
    .replaceAll(/```.*?```/gs, '')
    .match(/`[^`]+`/g)
    ?.join(' ') ?? ''

for (const [name, value] of Object.entries(otp)) {
  if (typeof value !== 'object') continue
  test(`the README names everything in ${name}`, () => {
    const names = Object.keys(value).filter(each => !new RegExp(`\\b${each}\\b`).test(codes))
    assert.deepEqual(names, [])
    assert.ok(codes.includes(`\`${name}\``))
  })
}
