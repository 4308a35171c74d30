/** Our servers do what those of OTP do: the same programs give the same traces. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { Beam, print, withoutErlang } from '../support/beam.ts'
import { collectReports } from '../support/reports.ts'
import { Driver } from './driver.ts'
import { programs } from './programs.ts'

const PEER = fileURLToPath(new URL('gen_server_peer.erl', import.meta.url))

test('a random program of calls, late replies, crashes and stops has the same trace on OTP', {
  skip: withoutErlang,
}, async t => {
  collectReports(t)
  await using beam = await Beam.start(PEER)
  const property = fc.asyncProperty(programs, async program => {
    const theirs = await beam.ask(`[${program.map(print).join(',')}].`)
    const ours = await new Driver().run(program)
    assert.deepEqual(ours, theirs.split(';'))
  })
  await fc.assert(property, runs(400))
})
