/** The messages of viewers are read and checked: they come from outside. */

import * as v from 'valibot'
import type { Asked } from '../words.js'

/** The most rows, and events of a trace, that can be asked for. */
const ROWS = 1000
const EVENTS = 10_000
/** The longest text. */
const TEXT = 10_000

const text = v.pipe(v.string(), v.maxLength(TEXT))
const number = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER))
const node = v.optional(text)
const process = v.object({ kind: v.literal('process'), node: text, id: text })
const connection = v.object({ kind: v.literal('connection'), node: text, id: text })
const subject = v.variant('kind', [process, connection])
const range = {
  node,
  filter: text,
  order: text,
  descending: v.boolean(),
  offset: number,
  limit: v.pipe(number, v.maxValue(ROWS)),
}

const view = v.variant('name', [
  v.object({ name: v.literal('overview'), node }),
  v.object({ name: v.literal('processes'), ...range }),
  v.object({ name: v.literal('process'), ...process.entries }),
  v.object({ name: v.literal('tree'), node }),
  v.object({ name: v.literal('connections'), ...range }),
  v.object({ name: v.literal('connection'), ...connection.entries }),
  v.object({ name: v.literal('pools'), node }),
  v.object({ name: v.literal('nodes') }),
  v.object({
    name: v.literal('trace'),
    subject,
    filter: text,
    limit: v.pipe(number, v.minValue(1), v.maxValue(EVENTS)),
  }),
])

const action = v.variant('type', [
  v.object({ type: v.literal('exit'), subject: process, reason: text }),
  v.object({ type: v.picklist(['close', 'shutdown']), subject: connection }),
  v.object({ type: v.literal('send'), subject: process, message: text }),
  v.object({ type: v.literal('heap_snapshot'), node: text }),
])

const asked = v.variant('type', [
  v.object({ type: v.literal('watch'), id: number, view }),
  v.object({ type: v.literal('unwatch'), id: number }),
  v.object({ type: v.literal('act'), id: number, action }),
  v.object({ type: v.literal('confirm'), id: number, ticket: text }),
])

/** Reads a message of a viewer. Throws an Error that names what is wrong. */
export function readAsked(data: string): Asked {
  const outcome = v.safeParse(asked, JSON.parse(data))
  if (outcome.success) return outcome.output as Asked
  const [issue] = outcome.issues
  throw new Error(`${v.getDotPath(issue) ?? 'the message'}: ${issue.message}`)
}
