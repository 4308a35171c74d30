// Our parser, llhttp and node:http read the same mutated responses. Where they disagree, a rule of the lists decides.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { ResponseParser } from '../../src/http1/parser/parser.ts'
import { type Opinion, opinionOfLlhttp, type Seen } from '../support/llhttp.ts'
import { mutatedResponses } from '../support/mutated-responses.ts'
import { opinionOfNode } from '../support/node-reader.ts'

const limits = { maxHeaderBlockSize: 100_000, maxTrailerBlockSize: 10_000 }

function ourOpinion(methods: readonly string[], bytes: Buffer): Opinion {
  const parser = new ResponseParser(limits)
  for (const method of methods) parser.expect(method)
  parser.push(bytes)
  parser.end()
  const seen: Seen[] = []
  for (let value = parser.next(); value !== undefined; value = parser.next()) {
    const last = seen.at(-1)
    if (value.type === 'inform' || value.type === 'response') {
      const { status, headers } = value
      const isWhole = value.type === 'inform' || value.isFin
      seen.push({ status, headers: headers.flat(), body: '', trailers: [], isWhole })
    } else if (value.type === 'data' && last !== undefined) {
      last.body += value.data.toString('latin1')
      last.isWhole = value.isFin
    } else if (value.type === 'trailers' && last !== undefined) {
      last.trailers = value.headers.flat()
      last.isWhole = true
    }
  }
  const { failure } = parser
  const isCutShort = failure?.code === 'closed'
  return { seen, refusal: isCutShort ? undefined : failure?.message, isCutShort }
}

/** Two readers of the same bytes that do not agree. */
interface Parting {
  readonly text: string
  /** Whether it is our reader that goes less far, or else the other, or neither. */
  readonly isOurs: boolean
  /** Why that one goes no further. */
  readonly reason: string
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Tells where the readers part, if they do: both have seen the same whole messages up to there. */
function partingOf(text: string, ours: Opinion, theirs: Opinion): Parting | undefined {
  const [mine, others] = [ours, theirs].map(({ seen }) => seen.filter(({ isWhole }) => isWhole)) as [
    Seen[],
    Seen[],
  ]
  const common = Math.min(mine.length, others.length)
  if (!same(mine.slice(0, common), others.slice(0, common)))
    return { text, isOurs: false, reason: 'another message' }
  const isEven = mine.length === others.length
  if (isEven && (ours.refusal === undefined) === (theirs.refusal === undefined)) return undefined
  const isOurs = isEven ? ours.refusal !== undefined : mine.length < others.length
  const reason = (isOurs ? ours : theirs).refusal ?? 'no end'
  return { text, isOurs, reason: ours.isCutShort && !isOurs ? `cut short: ${reason}` : reason }
}

/** The values up to the first final response. */
function firstOf({ seen, refusal, isCutShort }: Opinion): Opinion {
  const end = seen.findIndex(({ status }) => status >= 200)
  const first = end === -1 ? seen : seen.slice(0, end + 1)
  const isOver = end !== -1 && first.at(-1)?.isWhole === true
  return isOver ? { seen: first, refusal: undefined } : { seen: first, refusal, isCutShort }
}

/** Why one reader may go less far than the other. */
interface Rule {
  readonly rule: string
  /** The answer of that reader. */
  readonly reason: RegExp
  /** The text that is then among the bytes. */
  readonly text: RegExp
  /** A response on which the readers part by this rule. */
  readonly example: string
  /** The first version of Node whose reader parts from ours here. */
  readonly since?: number
}

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

/** Where our reader goes less far than another. */
const STRICTER: readonly Rule[] = [
  {
    rule: 'RFC 9112 section 6.1: a coding that readers of lists, or of quotes, take for another leaves the end of the body open',
    reason: /is ambiguous$/,
    text: /^transfer-encoding:/im,
    example: `${OK}Transfer-Encoding: "chunked"\r\n\r\n`,
  },
  {
    rule: 'RFC 9112 section 6.1: a content-length with a transfer-encoding ought to be handled as an error, an empty one included',
    reason: /can't be present with/,
    text: /^transfer-encoding:/im,
    example: `${OK}Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello`,
  },
  {
    rule: 'RFC 9110 section 15: a status is at least 100',
    reason: /the impossible status/,
    text: /HTTP\/1\.[01] 0\d\d/,
    example: 'HTTP/1.1 099 x\r\nContent-Length: 5\r\n\r\nhello',
  },
  {
    rule: 'RFC 9110 section 15.2.2: a server switches protocols only if it was asked to',
    reason: /a 101 response arrived/,
    text: /HTTP\/1\.[01] 101/,
    example: 'HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  },
  {
    rule: 'RFC 9112 section 2.3: the name of the protocol is HTTP',
    reason: /does not start with HTTP\//,
    text: /(?:RTSP|ICE)\/|[RI][A-Z]{0,3}$/,
    example: 'RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  },
  {
    rule: 'RFC 9110 section 2.5: the version is HTTP/1.1 or HTTP/1.0',
    reason: /has version HTTP\/(?:0\.9|2\.0)/,
    text: /HTTP\/(?:0\.9|2\.0)/,
    example: 'HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  },
  {
    rule: 'RFC 9112 section 4: a reason has no control characters but tabs',
    reason: /the reason phrase/,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    text: /HTTP\/1\.[01] \d{3} [^\r\n]*[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/,
    example: 'HTTP/1.1 200 O\x1bK\r\nContent-Length: 5\r\n\r\nhello',
  },
  {
    rule: 'RFC 9112 section 2.2: a CR that no LF follows is invalid',
    reason: /Missing expected LF after response status line$/,
    text: /HTTP\/\d\.\d \d{3}[^\r\n]*\r(?!\n)/,
    example: 'HTTP/1.1 200 OK\r\rContent-Length: 5\r\n\r\nhello',
  },
  {
    rule: 'RFC 9112 section 7.1.1: a chunk extension is a token, and perhaps a value, which is a token or quoted',
    reason: /chunk extensions$/,
    text: /^[0-9a-f]+[ \t]*;/im,
    example: `${CHUNKED}5;=a\r\nhello\r\n0\r\n\r\n`,
  },
  {
    rule: 'RFC 9112 section 8: a body in chunks is incomplete without the end of its trailers, whatever these say',
    reason: /no end/,
    text: /^transfer-encoding:[\s\S]*^0+[\s\S]*^transfer-encoding:/im,
    example: `${CHUNKED}0\r\nTransfer-Encoding: x\r\n`,
  },
  {
    rule: 'RFC 9112 section 9.6: nothing follows the response that ends the connection',
    reason: /ended the connection$/,
    text: /HTTP\/1\.0|^connection:|\r\n\r\n/im,
    example: `HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello${OK}Content-Length: 5\r\n\r\nhello`,
  },
]

/** Where another reader goes less far than ours. */
const LAXER: readonly Rule[] = [
  {
    rule: 'RFC 9112 section 5.2: a user agent replaces a fold with blanks',
    reason: /Unexpected whitespace after header value|Invalid header value char/,
    text: /\r\n[ \t]/,
    example: `${OK}X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello`,
  },
  {
    rule: 'RFC 9110 section 5.5: a recipient may keep the control characters that end no line',
    reason: /Invalid header value char/,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    text: /:[^\r\n]*[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/,
    example: `${OK}X: \x01\r\nContent-Length: 5\r\n\r\nhello`,
  },
  {
    rule: 'RFC 9112 section 7.1.1: blanks before a chunk extension do not count; as in cowlib, neither do those behind the size',
    reason: /Invalid character in chunk size/,
    text: /[0-9a-f][ \t]+[;\r]/i,
    example: `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`,
  },
  {
    rule: 'RFC 9112 section 7.1.1: blanks around the parts of a chunk extension do not count',
    reason: /Invalid character in chunk extensions/,
    text: /[;=][ \t]|[ \t]+[;=\r]/,
    example: `${CHUNKED}5; a = b\r\nhello\r\n0\r\n\r\n`,
  },
  {
    rule: 'RFC 9110 section 5.5: blanks around a value do not count',
    reason: /Invalid character in Content-Length/,
    text: /^content-length:[ \t]*\d+[ \t]*\t/im,
    example: `${OK}Content-Length: 5 \t\r\n\r\nhello`,
  },
  {
    rule: 'RFC 9110 section 5.6.1.2: a recipient ignores the empty elements of a list',
    reason: /Empty Transfer-Encoding/,
    text: /^transfer-encoding:[ \t]*\r/im,
    example: `${OK}Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    since: 22,
  },
  {
    rule: 'RFC 9112 section 6.3: an interim response has no body',
    reason: /Invalid character in chunk|no end|another message/,
    text: /HTTP\/1\.[01] 1[\s\S]*^(?:transfer-encoding|content-length):/im,
    example: 'HTTP/1.1 105 x\r\nTransfer-Encoding: chunked\r\n\r\n+',
  },
  {
    rule: 'RFC 9110 section 15.2: the final response is still to come, which ends the connection or does not',
    reason: /no end|Data after|another message/,
    text: /HTTP\/1\.[01] 1[\s\S]*^connection:[^\n]*close/im,
    example: `HTTP/1.1 103 x\r\nConnection: close\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
  },
  {
    rule: 'a line is judged as a whole, and the values of fields once all have come: here the end has come before',
    reason: /^cut short: (?!no end|another message)/,
    text: /[\s\S]/,
    example: `${OK}Content-Length:x`,
  },
]

function ruleOf({ isOurs, reason, text }: Parting): Rule | undefined {
  return (isOurs ? STRICTER : LAXER).find(rule => rule.reason.test(reason) && rule.text.test(text))
}

const METHODS = ['GET', 'HEAD', 'GET']

/** Tells where our reader parts from llhttp, over several responses, and from node:http, over the first. */
async function partingsOf(text: string): Promise<(Parting | undefined)[]> {
  const bytes = Buffer.from(text, 'latin1')
  return [
    partingOf(text, ourOpinion(METHODS, bytes), opinionOfLlhttp(METHODS, bytes)),
    partingOf(text, firstOf(ourOpinion(['GET'], bytes)), firstOf(await opinionOfNode('GET', bytes))),
  ]
}

test('wherever our parser parts from llhttp and node:http, a rule decides', async () => {
  const property = fc.asyncProperty(mutatedResponses, async text => {
    for (const parting of await partingsOf(text)) {
      if (parting !== undefined) assert.ok(ruleOf(parting), JSON.stringify(parting))
    }
  })
  await fc.assert(property, runs(1000))
})

for (const rule of [...STRICTER, ...LAXER]) {
  test(`parts the readers: ${rule.rule}`, async t => {
    if (Number.parseInt(process.versions.node, 10) < (rule.since ?? 0)) return t.skip('this Node agrees')
    const partings = (await partingsOf(rule.example)).filter(parting => parting !== undefined)
    assert.ok(partings.length > 0)
    for (const parting of partings) assert.equal(ruleOf(parting), rule, parting.reason)
  })
}
