/** Errors of a class that is not known here keep the name of their class, so that they are of it again where it is known. */

import { errorFormOf } from '@holster/process/internal'

/** Stands for the class of an error on its way. */
export interface SentForm {
  readonly name: string
  readonly extra: unknown
}

/** Says what stands for the class of an error. */
export interface FormToSend {
  readonly name: string
  /** Gives what belongs to the error besides its fields. */
  extraOf(error: Error): unknown
}

const unknown = new WeakMap<Error, SentForm>()

/** Remembers the class of an error that has come as an Error alone. */
export function rememberForm(error: Error, form: SentForm): void {
  unknown.set(error, form)
}

/** Gives what stands for the class of an error; `undefined` if the class cannot be known on other nodes. */
export function formOf(error: Error): FormToSend | undefined {
  const form = errorFormOf(error)
  if (form !== undefined) return form
  const sent = unknown.get(error)
  return sent === undefined ? undefined : { name: sent.name, extraOf: () => sent.extra }
}
