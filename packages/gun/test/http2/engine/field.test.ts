import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Field, LENGTH, PSEUDO, REGULAR, WRONG } from '../../../src/http2/engine/field.ts'

const kindOf = (name: string, value = 'x') => new Field(name, value).kind
const allOctets = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet))

test('A field has the size of its octets and 32 more', () => {
  const field = new Field('name', 'välue')
  assert.deepEqual(field.pair, ['name', 'välue'])
  assert.equal(field.size, 41)
  assert.equal(new Field('', '').size, 32)
})

test('A name is a token without capital letters, and only a pseudo-header field has a colon in front of it', () => {
  const inToken = /[!#$%&'*+\-.^_`|~0-9a-z]/
  for (const octet of allOctets) {
    const kind = inToken.test(octet) ? REGULAR : WRONG
    assert.equal(kindOf(`x${octet}y`), kind)
    assert.equal(kindOf(octet), kind)
    assert.equal(kindOf(`:x${octet}`), kind === REGULAR ? PSEUDO : WRONG)
  }
  for (const name of ['', ':', '::', 'a:', ':a:b']) assert.equal(kindOf(name), WRONG)
  assert.equal(kindOf(':status', '200'), PSEUDO)
})

test('A value has no NUL and no end of a line, and no blank at its ends', () => {
  for (const octet of allOctets) {
    assert.equal(kindOf('a', `x${octet}y`), /[\0\r\n]/.test(octet) ? WRONG : REGULAR)
    for (const value of [octet, `${octet}x`, `x${octet}`]) {
      assert.equal(kindOf('a', value), /[\0\r\n\t ]/.test(octet) ? WRONG : REGULAR)
    }
  }
  assert.equal(kindOf('a', ''), REGULAR)
  assert.equal(kindOf(':status', '200 '), WRONG)
  assert.equal(kindOf('content-length', ' 1'), WRONG)
})

test('The length of the content is found, and what concerns one connection of HTTP/1.1 is wrong', () => {
  assert.equal(kindOf('content-length', '1'), LENGTH)
  assert.equal(kindOf('content-lengths', '1'), REGULAR)
  for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']) {
    assert.equal(kindOf(name), WRONG)
    assert.equal(kindOf(`${name}s`), REGULAR)
  }
})
