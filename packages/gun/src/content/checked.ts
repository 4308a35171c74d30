/** The options of a content handler: checked where it is made, and named with it. */

import * as v from 'valibot'
import { GunError } from '../errors.js'

/** The options with their defaults. Throws a GunError `bad_option` that names the handler and what is wrong. */
export function checked<Schema extends v.GenericSchema>(
  handler: string,
  schema: Schema,
  opts: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, opts)
  if (result.success) return result.output
  const [issue] = result.issues
  const path = [handler, v.getDotPath(issue)].filter(Boolean).join('.')
  throw new GunError('bad_option', 'options', `${path} ${issue.message}`)
}
