/** The Huffman code for strings (RFC 7541 appendix B). */

export const EOS = 256

/** How many bits the code of each octet has, sixteen octets a row, and last that of the end of a string. */
// biome-ignore format: sixteen octets a row
export const lengths = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
)

export const LONGEST = 30

/** For each length in bits, how many codes have it, and the first of them. */
export const counts = new Uint16Array(LONGEST + 1)
export const firsts = new Uint32Array(LONGEST + 1)
for (const length of lengths) counts[length] = (counts[length] as number) + 1
for (let length = 1; length <= LONGEST; length++) {
  firsts[length] = ((firsts[length - 1] as number) + (counts[length - 1] as number)) * 2
}

/** The code of each octet: the code is canonical, so that codes of the same length count up with their octets. */
export const codes = new Uint32Array(lengths.length)
{
  const next = firsts.slice()
  for (const [octet, length] of lengths.entries()) {
    const code = next[length] as number
    codes[octet] = code
    next[length] = code + 1
  }
}
