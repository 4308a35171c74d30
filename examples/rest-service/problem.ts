/** A problem is an error with the status that tells a client of it (RFC 9457). */

import * as gun from '@holster/gun'

export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    readonly status: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Whether a client may come again soon (RFC 9110 section 10.2.3). */
export const isPassing = ({ status }: Problem): boolean => status === 503

/** Maps whatever was thrown on the way of a request. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  // Only the body of the client's request fails so.
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') {
    return new Problem(499, 'the client is gone', { cause: error })
  }
  if (!(error instanceof gun.GunError)) return new Problem(500, 'an error of the service', { cause: error })
  switch (error.code) {
    // The backend has done nothing yet, and may later.
    case 'no_connection_available':
    case 'refused_stream':
    case 'shutdown':
      return new Problem(503, 'the backend takes no requests', { cause: error })
    case 'timeout':
      return new Problem(504, 'the backend is silent', { cause: error })
    default:
      return new Problem(502, 'the backend has failed', { cause: error })
  }
}
