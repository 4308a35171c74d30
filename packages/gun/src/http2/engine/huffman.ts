/** Writes and reads strings in the Huffman code (RFC 7541 section 5.2). */

import { codes, counts, EOS, firsts, LONGEST, lengths } from './huffman-codes.js'

/** How many bits the shortest code has. */
const SHORTEST = 5
/** A string that may have more octets than this is read into room of its own. */
const ROOM = 4096
const room = Buffer.allocUnsafeSlow(ROOM)

/**
 * Strings are read byte by byte, from state to state. A state stands for the bits that were read of a code that is not yet whole:
 * 0 for none, then all beginnings of codes that have one bit, and so on. Those of the same length are consecutive numbers; the
 * first is `begins[length]`, and its state is `states[length]`. In the last state are strings that have EOS in them.
 */
const WRONG = EOS
const states = new Uint16Array(LONGEST + 1)
const begins = new Uint32Array(LONGEST + 1)
/** The octets of the codes of a length, the first of which stands at `places[length]`. */
const octets = new Uint8Array(EOS)
const places = new Uint16Array(LONGEST + 1)
/** Whether a string may end in a state: behind a code, or within the first seven bits of EOS, which are all ones. */
const isLast = new Uint8Array(WRONG + 1)
isLast[0] = 1
for (let length = 1, beginnings = 1; length <= LONGEST; length++) {
  states[length] = (states[length - 1] as number) + beginnings
  begins[length] = (firsts[length] as number) + (counts[length] as number)
  beginnings = beginnings * 2 - (counts[length] as number)
  places[length] = (places[length - 1] as number) + (counts[length - 1] as number)
  if (length < 8) isLast[(states[length] as number) + beginnings - 1] = 1
}
for (const [octet, length] of lengths.entries()) {
  if (octet !== EOS) octets[placeOf(codes[octet] as number, length)] = octet
}

/** The step that a byte leads to in a state, at `state * 256 + byte`. It is 0 until it is needed for the first time. */
const steps = new Int32Array((WRONG + 1) * 256)
/** The bits of a step: the octets, at most two, whose codes the byte ends; how many they are; the next state. */
const COUNT_AT = 16
const COUNT_BITS = 3
const STATE_AT = 18

function placeOf(code: number, length: number): number {
  return (places[length] as number) + code - (firsts[length] as number)
}

function stepOf(state: number, byte: number): number {
  if (state === WRONG) return WRONG << STATE_AT
  let length = 0
  while ((states[length + 1] as number) <= state) length++
  let code = (begins[length] as number) + state - (states[length] as number)
  let step = 0
  let count = 0
  for (let bit = 7; bit >= 0; bit--) {
    code = code * 2 + ((byte >> bit) & 1)
    length++
    if (code >= (begins[length] as number)) continue
    const place = placeOf(code, length)
    if (place === EOS) return WRONG << STATE_AT
    step |= (octets[place] as number) << (8 * count++)
    code = 0
    length = 0
  }
  const next = (states[length] as number) + code - (begins[length] as number)
  return step | (count << COUNT_AT) | (next << STATE_AT)
}

/** Gives the string whose codes are in the bytes from `start` to `end`; `undefined` if they are not those of a string. */
export function readHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  // A step writes two octets, though fewer may count.
  const most = Math.ceil(((end - start) * 8) / SHORTEST) + 1
  const text = most > ROOM ? Buffer.allocUnsafeSlow(most) : room
  let size = 0
  let state = 0
  for (let at = start; at < end; at++) {
    const index = (state << 8) | (bytes[at] as number)
    let step = steps[index] as number
    if (step === 0) {
      step = stepOf(state, bytes[at] as number)
      steps[index] = step
    }
    text[size] = step
    text[size + 1] = step >> 8
    size += (step >> COUNT_AT) & COUNT_BITS
    state = step >> STATE_AT
  }
  return isLast[state] === 1 ? text.latin1Slice(0, size) : undefined
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
  }
  if (count > 0) into[end++] = (bits << (8 - count)) | (0xff >> count)
  return end
}
