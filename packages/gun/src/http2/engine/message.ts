/**
 * The message that the peer sends on a stream: interim responses, the head of the final one, its body, and trailers, in this
 * order, with as many bytes as the head says (RFC 9113 section 8.1).
 */

import { codes } from './codes.js'
import { StreamFault } from './fault.js'
import type { Field } from './field.js'
import { type Headers, type ResponseHead, readResponse, readTrailers } from './head.js'
import type { EngineStream } from './stream.js'

/** Takes the head of a response, interim or final. */
export function takeHead(
  stream: EngineStream<unknown>,
  fields: readonly Field[] | undefined,
  isEnd: boolean,
): ResponseHead | StreamFault {
  if (fields === undefined) return tooLarge()
  const head = readResponse(fields)
  if (head === undefined) return malformed('the head of the response is malformed')
  const { status, length } = head
  if (status < 200) {
    if (status !== 101 && !isEnd) return head
    return malformed(
      isEnd ? 'an interim response ended the stream' : 'a response 101 came, which HTTP/2 has not',
    )
  }
  const isTunnel = stream.method === 'CONNECT' && status < 300
  const isBare = stream.method === 'HEAD' || status === 204 || status === 304
  stream.phase = isTunnel ? 'tunnel' : 'body'
  stream.expected = isTunnel ? undefined : isBare ? 0 : length
  return (isEnd ? tooShort(stream) : undefined) ?? head
}

/** Takes the length of a frame of DATA, and how much of that is content. */
export function takeData(
  stream: EngineStream<unknown>,
  length: number,
  content: number,
): StreamFault | undefined {
  if (stream.hasEnded) return behindEnd('DATA')
  if (stream.phase === 'head') return malformed('DATA came before the head of the response')
  if (!stream.receiveWindow.take(length)) {
    return new StreamFault(codes.FLOW_CONTROL_ERROR, "more DATA came than the stream's window allowed")
  }
  if (stream.expected === undefined) return undefined
  stream.expected -= content
  return stream.expected < 0 ? malformed(LENGTH) : undefined
}

/** Takes the fields behind the body. */
export function takeTrailers(
  stream: EngineStream<unknown>,
  fields: readonly Field[] | undefined,
  isEnd: boolean,
): Headers | StreamFault {
  if (fields === undefined) return tooLarge()
  const headers = readTrailers(fields)
  if (headers === undefined) return malformed('the trailers of the response are malformed')
  if (!isEnd) return malformed('the trailers of the response did not end it')
  if (stream.phase === 'tunnel') return malformed('HEADERS came on a stream that has become a tunnel')
  return tooShort(stream) ?? headers
}

/** Looks whether a message that ends now has as many bytes as its head says. */
export function tooShort({ expected }: EngineStream<unknown>): StreamFault | undefined {
  return expected === undefined || expected === 0 ? undefined : malformed(LENGTH)
}

/** Returns the fault of a frame that came though the peer had ended the stream. */
export function behindEnd(what: string): StreamFault {
  return new StreamFault(codes.STREAM_CLOSED, `${what} came behind the end of the response`)
}

const LENGTH = 'the body of the response does not have the length that its head says'

function malformed(text: string): StreamFault {
  return new StreamFault(codes.PROTOCOL_ERROR, text)
}

function tooLarge(): StreamFault {
  return new StreamFault(codes.ENHANCE_YOUR_CALM, 'the headers of the response exceed maxHeaderListSize')
}
