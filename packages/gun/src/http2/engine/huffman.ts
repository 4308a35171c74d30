/** Writes and reads strings in the Huffman code (RFC 7541 section 5.2). */

import { codes, EOS, lengths } from './huffman-codes.js'

/** The octets that a string of Huffman codes can have at most for each of its own eight: the shortest code has five bits. */
const SHORTEST = 5
/** Beyond this many octets a string gets room of its own. */
const ROOM = 4096
const room = Buffer.allocUnsafeSlow(ROOM)

/** The bits of an entry of `steps`: an octet, the number of octets (0 or 1), and the next state, times 16. */
const COUNT_AT = 8
const NEXT_AT = 9

/** Each inner node of the tree of codes is a state, and the root is 0. A state more is for strings in which EOS occurs. */
const STATES = EOS + 1
const WRONG = EOS
/** What half an octet does in each state. The shortest code is longer than that, so that it ends one code at most. */
const steps = new Int32Array(STATES * 16)
/** Whether a string may end in a state: on a code, or on fewer than eight bits of EOS, which are all ones. */
const isLast = new Uint8Array(STATES)

{
  // A node's two children; an octet is stored as its complement.
  const children = new Int16Array(STATES * 2)
  let nodes = 1
  for (const [octet, length] of lengths.entries()) {
    const code = codes[octet] as number
    let node = 0
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node * 2 + ((code >>> bit) & 1)
      if (children[at] === 0) children[at] = nodes++
      node = children[at] as number
    }
    children[node * 2 + (code & 1)] = ~octet
  }
  for (let state = 0; state < WRONG; state++) {
    for (let half = 0; half < 16; half++) {
      let node = state
      let ended = 0
      for (let bit = 3; bit >= 0 && node !== WRONG; bit--) {
        const child = children[node * 2 + ((half >> bit) & 1)] as number
        node = child === ~EOS ? WRONG : Math.max(child, 0)
        if (child < 0) ended = (1 << COUNT_AT) | ~child
      }
      steps[state * 16 + half] = node === WRONG ? WRONG << (NEXT_AT + 4) : ended | (node << (NEXT_AT + 4))
    }
  }
  steps.fill(WRONG << (NEXT_AT + 4), WRONG * 16)
  for (let node = 0, bits = 0; bits < 8; bits++) {
    isLast[node] = 1
    node = children[node * 2 + 1] as number
  }
}

/** Gives the string whose codes are in the bytes from `start` to `end`; `undefined` if they are not those of a string. */
export function readHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const most = ((end - start) * 8) / SHORTEST + 1
  const octets = most > ROOM ? Buffer.allocUnsafeSlow(most) : room
  let size = 0
  let state = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    let step = steps[state | (byte >> 4)] as number
    octets[size] = step
    size += (step >> COUNT_AT) & 1
    step = steps[(step >> NEXT_AT) | (byte & 15)] as number
    octets[size] = step
    size += (step >> COUNT_AT) & 1
    state = step >> NEXT_AT
  }
  return isLast[state >> 4] === 1 ? octets.latin1Slice(0, size) : undefined
}

/** Gives how many bytes the codes of a string take. Each character is one octet. */
export function sizeOfHuffman(text: string): number {
  let bits = 7
  for (let i = 0; i < text.length; i++) bits += lengths[text.charCodeAt(i)] as number
  return bits >>> 3
}

/** Writes the codes of a string. Each character is one octet. Gives the end. */
export function writeHuffman(into: Buffer, at: number, text: string): number {
  let end = at
  let bits = 0
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const octet = text.charCodeAt(i)
    let code = codes[octet] as number
    let length = lengths[octet] as number
    if (length > 24) {
      // Together with up to seven bits that wait, such a code would not fit into 32.
      bits = (bits << 8) | (code >>> (length - 8))
      into[end++] = bits >>> count
      length -= 8
      code &= (1 << length) - 1
    }
    bits = (bits << length) | code
    count += length
    while (count >= 8) {
      count -= 8
      into[end++] = bits >>> count
    }
    bits &= 0xff
  }
  if (count > 0) into[end++] = (bits << (8 - count)) | (0xff >> count)
  return end
}
