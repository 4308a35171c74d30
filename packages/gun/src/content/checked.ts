/**
 * The check of a content handler's options, made when the handler is made and reported under the handler's
 * name.
 */

import * as v from 'valibot'
import { GunError } from '../errors.js'

/**
 * Returns the options with their defaults. Throws a GunError `bad_option` that names the handler and the
 * wrong option.
 */
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
