/** The challenges of a proxy's 407, as it lists them in `proxy-authenticate` (RFC 9110 section 11.6.1). */

import type { ProxyChallenge } from '../options/proxy.js'
import type { Headers } from '../words.js'

/** Elements of a list: commas within quotes part nothing. */
const ELEMENT = /(?:[^",]|"(?:[^"\\]|\\.)*")+/g
/** A parameter, which belongs to the challenge before it. */
const PARAMETER = /^[^\s="]+\s*=(?!=*$)/
const SCHEME = /^[^\s,="]+/
const REALM = /(?:^|[\s,])realm\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/i

export function challengesIn(headers: Headers): readonly ProxyChallenge[] {
  const texts: string[] = []
  for (const [name, value] of headers) {
    if (name !== 'proxy-authenticate') continue
    // A field begins with a scheme, whatever the field before it ends with.
    let isFirst = true
    for (const [element] of value.matchAll(ELEMENT)) {
      const text = element.trim()
      if (text === '') continue
      if (isFirst || !PARAMETER.test(text)) texts.push(text)
      else texts.push(`${texts.pop()}, ${text}`)
      isFirst = false
    }
  }
  return texts.map(challengeOf)
}

function challengeOf(text: string): ProxyChallenge {
  const [scheme = ''] = SCHEME.exec(text) ?? []
  const [, quoted, plain] = REALM.exec(text.slice(scheme.length)) ?? []
  return { scheme: scheme.toLowerCase(), realm: quoted?.replace(/\\(.)/g, '$1') ?? plain, text }
}
