/** The head of a request, as its bytes say it. */

/** The head of a request of HTTP/1.1. */
export interface RequestHead {
  /** The head as it came, up to and including the blank line, read as latin1. */
  readonly head: string
  /** The method: `'GET'`. */
  readonly method: string
  /** The target of the request: `'/a?b'`. */
  readonly path: string
  /** The version: `'HTTP/1.1'`. */
  readonly version: string
  /** The header fields in their order, with the names as they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The bytes of the head. */
  readonly raw: Buffer
  /** Gives the first value of a field, whatever the case of its name; `undefined` if the request has none. */
  header(name: string): string | undefined
}

/** Reads the bytes of a head. Throws an Error that shows the line which is no request line, or no header field. */
export function parseHead(raw: Buffer): RequestHead {
  const head = raw.toString('latin1')
  const [requestLine = '', ...lines] = head.slice(0, -4).split('\r\n')
  const [, method, path, version] = /^(\S+) (\S+) (\S+)$/.exec(requestLine) ?? []
  if (method === undefined || path === undefined || version === undefined) {
    throw new Error(`not a request line: ${JSON.stringify(requestLine)}`)
  }
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`not a header: ${JSON.stringify(line)}`)
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string) => headers.find(([sent]) => sent.toLowerCase() === name.toLowerCase())?.[1]
  return { head, method, path, version, headers, raw, header }
}
