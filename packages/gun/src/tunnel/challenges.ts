/** The challenges of a proxy's 407, as it lists them in `proxy-authenticate` (RFC 9110 section 11.6.1). */

import type { ProxyChallenge } from '../options/proxy.js'
import type { Headers } from '../words.js'

// A proxy may write anything, so that none of these may try the same bytes again and again: a quoted string without an end is one
// up to the end of the value.

/** An element of the list: commas within quotes part nothing. */
const ELEMENT = /(?:[^",]|"(?:[^"\\]|\\.?)*(?:"|$))+/gs
/** The beginning of a parameter, which belongs to the challenge before it. */
const PARAMETER = /^[^\s="]+\s*=(?!=*$)/
const SCHEME = /^[^\s,="]*/
/** A parameter with its value, quoted or plain. */
const PAIR = /(?<![^\s,])([^\s,="]+)\s*=\s*(?:"((?:[^"\\]|\\.?)*)(?:"|$)|([^\s,"]*))/gs

/** Returns the challenges in the order of the fields. */
export function challengesIn(headers: Headers): readonly ProxyChallenge[] {
  const challenges: string[][] = []
  for (const [name, value] of headers) {
    if (name !== 'proxy-authenticate') continue
    // A field begins with a scheme, whatever the field before it ends with.
    let current: string[] | undefined
    for (const [element] of value.matchAll(ELEMENT)) {
      const text = element.trim()
      if (text === '') continue
      if (current !== undefined && PARAMETER.test(text)) current.push(text)
      else {
        current = [text]
        challenges.push(current)
      }
    }
  }
  return challenges.map(elements => challengeOf(elements.join(', ')))
}

function challengeOf(text: string): ProxyChallenge {
  const [scheme = ''] = SCHEME.exec(text) ?? []
  return { scheme: scheme.toLowerCase(), realm: realmIn(text.slice(scheme.length)), text }
}

function realmIn(parameters: string): string | undefined {
  for (const [, name = '', quoted, plain] of parameters.matchAll(PAIR)) {
    if (name.toLowerCase() === 'realm') return quoted?.replace(/\\(.)/gs, '$1') ?? plain
  }
  return undefined
}
