/** Checks a caller's request for what HTTP/2 cannot send, and a push for whether it answers a request of ours. */

import type { Headers } from '../words.js'
import type { PromisedRequest } from './engine/head.js'

// Such a name, or such a value, would make the request malformed, and the server might end the connection for it.
const wrongName = /[^!#$%&'*+\-.^_`|~0-9a-z]/
const wrongValue = /[\0\u0100-\uffff]/

/** Throws a TypeError for a head that HTTP/2 cannot send. */
export function checkHead(pseudo: Readonly<Record<string, string>>, headers: Headers): void {
  for (const [name, value] of Object.entries(pseudo)) checkValue(name, value)
  for (const [name, value] of headers) {
    if (wrongName.test(name)) throw new TypeError(`HTTP/2 cannot send the header ${JSON.stringify(name)}`)
    checkValue(name, value)
  }
}

function checkValue(name: string, value: string): void {
  if (wrongValue.test(value)) throw new TypeError(`HTTP/2 cannot send the value of ${name}`)
}

/** Whether a pushed response may be used: its request may be cached, and the server speaks for it (RFC 9113 section 8.4). */
export function isForUs(request: PromisedRequest, scheme: string, authority: string): boolean {
  const isSafe = request.method === 'GET' || request.method === 'HEAD'
  return isSafe && request.scheme === scheme && request.authority === authority
}
