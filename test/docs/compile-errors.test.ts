/** A common mistake gives one short error of the compiler. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../support/compiler.ts'

const head = `
import type { GunMessage } from '@holster/gun'
import { createProcess } from '@holster/process'
const self = createProcess<GunMessage>()
`

const mistakes: [mistake: string, source: string, error: RegExp][] = [
  [
    'patterns without brackets',
    "await self.receive({ type: 'gun_up' })",
    /error TS2345: .* is not assignable to parameter of type '.* & PatternsAreNoList'\.\n {2}Property ''patterns need brackets: \[pattern\]'' is missing/,
  ],
  [
    'a handler without brackets',
    "await self.receive(self.on({ type: 'gun_up' }, () => 1))",
    /error TS2345: .* is not assignable to parameter of type '.* & PatternsAreNoList'\.\n {2}Property ''patterns need brackets: \[pattern\]'' is missing/,
  ],
  [
    'patterns in a variable without as const',
    "const patterns = [{ type: 'gun_up' }, { type: 'gun_down' }]\nawait self.receive(patterns)",
    /error TS2345: .* is not assignable to parameter of type '.* & PatternsAreNotConst'\.\n {2}Property ''patterns in a variable need `as const`'' is missing/,
  ],
  [
    'a tag that no message has',
    "await self.receive([{ type: 'gun_upp' }])",
    /error TS2820: Type '"gun_upp"' is not assignable to type 'Pattern<.*>.*'\. Did you mean '"gun_up"'\?$/,
  ],
  [
    'a function as a pattern',
    'await self.receive([() => true])',
    /error TS2322: Type '\(\) => (true|boolean)' is not assignable to type 'PatternOrOn<Incoming<GunMessage>>'\.$/,
  ],
  [
    'a function as the pattern of a field',
    "await self.receive([{ type: 'gun_response', status: () => true }])",
    /error TS2322: Type '\(\) => (true|boolean)' is not assignable to type 'Pattern<number> \| undefined'\.$/,
  ],
]

test('each mistake gives one error of at most two lines, which says what to do', async () => {
  const files = mistakes.map(([, source], i) => [`mistake-${i}.ts`, `${head}${source}\nexport {}\n`])
  const errors = await compile(Object.fromEntries(files))
  assert.equal(errors.length, mistakes.length, errors.join('\n'))
  for (const [i, [mistake, , expected]] of mistakes.entries()) {
    const own = errors.filter(error => error.startsWith(`mistake-${i}.ts`))
    assert.equal(own.length, 1, `${mistake}:\n${errors.join('\n')}`)
    assert.match(own[0] ?? '', expected, mistake)
    assert.ok((own[0] ?? '').split('\n').length <= 2, own[0])
    assert.ok((own[0] ?? '').length < 450, own[0])
  }
})
