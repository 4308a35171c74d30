/** Handles as Vitest compares them. A file of its own, since Jest's and Vitest's matchers do not share a process. */

import { test } from 'node:test'
import { chai, type ExpectStatic, JestChaiExpect, JestExtend } from '@vitest/expect'
import { pairs } from '../support/handles.ts'

chai.use(JestExtend)
chai.use(JestChaiExpect)
const expect = chai.expect as ExpectStatic

test("Vitest's toEqual and toStrictEqual take no handle for another", () => {
  pairs((left, right, isSame) => {
    if (isSame) {
      expect(left).toEqual(right)
      expect(left).toStrictEqual(right)
    } else {
      expect(left).not.toEqual(right)
      expect(left).not.toStrictEqual(right)
    }
  })
})
