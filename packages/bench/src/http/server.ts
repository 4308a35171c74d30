/** The server that all clients are measured against: it answers with prepared bytes, and reads no more than it must. */

import { createServer, type Socket } from 'node:net'

/** The path of a GET is how many bytes its body shall have. */
function answerOf(path: string): Buffer {
  const size = Number(path.slice(1))
  const head = [
    'HTTP/1.1 200 OK',
    'date: Thu, 01 Jan 2026 00:00:00 GMT',
    'server: bench',
    'content-type: application/octet-stream',
    `content-length: ${size}`,
    '\r\n',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'x')])
}

const answers = new Map<string, Buffer>()

function answer(path: string): Buffer {
  const prepared = answers.get(path) ?? answerOf(path)
  answers.set(path, prepared)
  return prepared
}

const LAST_CHUNK = '0\r\n\r\n'

/** The bodies of requests hold nothing that looks like this, so that they need not be taken apart. */
class Exchange {
  readonly #socket: Socket
  #head = ''
  /** What the body ended with so far; undefined outside of a body. */
  #tail: string | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  take(bytes: Buffer): void {
    if (this.#tail === undefined) this.#takeHeads(bytes)
    else this.#takeBody(bytes)
  }

  #takeHeads(bytes: Buffer): void {
    const text = this.#head + bytes.toString('latin1')
    const out: Buffer[] = []
    let from = 0
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n', from)) {
      const start = from
      from = end + 4
      if (text.startsWith('POST', start)) {
        this.#tail = ''
        this.#head = ''
        this.#takeBody(Buffer.from(text.slice(from), 'latin1'))
        return
      }
      out.push(answer(text.slice(start + 4, text.indexOf(' ', start + 4))))
    }
    this.#head = text.slice(from)
    if (out.length === 1 && out[0] !== undefined) this.#socket.write(out[0])
    else if (out.length > 1) this.#socket.write(Buffer.concat(out))
  }

  #takeBody(bytes: Buffer): void {
    this.#tail += bytes.toString('latin1', Math.max(0, bytes.length - LAST_CHUNK.length))
    this.#tail = this.#tail?.slice(-LAST_CHUNK.length)
    if (this.#tail !== LAST_CHUNK) return
    this.#tail = undefined
    this.#socket.write(answer('/2'))
  }
}

const server = createServer({ noDelay: true }, socket => {
  const exchange = new Exchange(socket)
  socket.on('data', bytes => exchange.take(bytes))
  socket.on('error', () => socket.destroy())
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  console.log(JSON.stringify(address.port))
})

// It must not outlive a benchmark that was interrupted.
process.stdin.resume().on('end', () => process.exit())
