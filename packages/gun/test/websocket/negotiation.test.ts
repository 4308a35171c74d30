// Answers to an offer of permessage-deflate are judged as ws judges them, and more strictly where RFC 7692 says so.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as ws from 'ws'
import type { CompressOpts } from '../../src/options/websocket.ts'
import { type Agreed, judge, offerOf } from '../../src/websocket/negotiation.ts'

interface WsParams {
  server_no_context_takeover?: boolean
  client_no_context_takeover?: boolean
  server_max_window_bits?: number
  client_max_window_bits?: number
}

/** The parts of ws that its types leave out. */
const { extension, PerMessageDeflate } = ws as unknown as {
  readonly extension: {
    format(extensions: object): string
    parse(header: string): Record<string, Record<string, (string | true)[]>[]>
  }
  readonly PerMessageDeflate: new (
    options: object,
  ) => { offer(): object; accept(answers: readonly object[]): WsParams }
}

const NAME = 'permessage-deflate'

function engineOf(opts: CompressOpts) {
  const { clientNoContextTakeover, ...rest } = opts
  // ws refuses the parameter if the option is false, but a server may always ask for it (section 7.1.1.2).
  return new PerMessageDeflate({
    ...rest,
    ...(clientNoContextTakeover && { clientNoContextTakeover }),
    isServer: false,
  })
}

/** What ws makes of an answer that names one extension. */
function judgeWithWs(opts: CompressOpts, answer: string): Agreed {
  const { [NAME]: answers, ...others } = extension.parse(answer)
  if (answers?.length !== 1 || Object.keys(others).length > 0) throw new Error('must be accepted once')
  for (const [name, [value]] of Object.entries(answers[0] ?? {})) {
    // ws takes whatever Number parses; section 7.1.2 wants decimal digits without leading zeroes.
    if (name.endsWith('bits') && !/^([89]|1[0-5])$/.test(String(value))) throw new Error(`${name}: ${value}`)
  }
  const params = engineOf(opts).accept(answers)
  const bits = params.server_max_window_bits
  // Section 7.1: a server that cannot fulfil a parameter that was asked for has to decline.
  if (opts.serverNoContextTakeover && !params.server_no_context_takeover) throw new Error('missing')
  if (bits !== undefined && bits > (opts.serverMaxWindowBits ?? 15)) throw new Error('too many bits')
  return {
    clientNoContextTakeover:
      opts.clientNoContextTakeover === true || params.client_no_context_takeover === true,
    serverNoContextTakeover: params.server_no_context_takeover === true,
    clientMaxWindowBits: params.client_max_window_bits ?? 15,
    serverMaxWindowBits: bits ?? 15,
  }
}

const bits = fc.integer({ min: 8, max: 15 })
const options: fc.Arbitrary<CompressOpts> = fc.record(
  {
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  },
  { requiredKeys: [] },
)

const space = fc.constantFrom('', '', ' ', '\t', '  ')
const name = fc.constantFrom(
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
  'other',
)
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 6, arbitrary: bits.map(n => `=${n}`) },
  fc.constantFrom(
    '="10"',
    '="1\\2"',
    '=7',
    '=16',
    '=08',
    '=1e1',
    '=0xA',
    '=""',
    '="1',
    '=',
    '= 9',
    '=9"',
    '=true',
  ),
)
const parameter = fc
  .tuple(space, space, name, value)
  .map(([before, behind, key, given]) => `${before};${behind}${key}${given}`)
const answers = fc
  .tuple(
    fc.constantFrom('', '', '', `${NAME},`, 'other, '),
    fc.constantFrom(NAME, NAME, NAME, NAME, NAME, 'Permessage-Deflate', ''),
    fc.array(parameter, { maxLength: 4 }),
    fc.constantFrom('', '', '', '', ';', ' x'),
  )
  .map(([before, extensionName, params, behind]) => before + extensionName + params.join('') + behind)

function attempt(run: () => Agreed): Agreed | 'refused' {
  try {
    return run()
  } catch {
    return 'refused'
  }
}

test('an answer is agreed on, or refused, as by ws', () => {
  fc.assert(
    fc.property(options, answers, (opts, answer) => {
      assert.deepEqual(
        attempt(() => judge(opts, answer)),
        attempt(() => judgeWithWs(opts, answer)),
      )
    }),
    { numRuns: 5000 },
  )
})

test('an offer says what that of ws says', () => {
  fc.assert(
    fc.property(options, opts => {
      assert.equal(offerOf(opts), extension.format({ [NAME]: engineOf(opts).offer() }))
    }),
  )
})
