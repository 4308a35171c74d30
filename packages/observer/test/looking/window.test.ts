// A table of very many items is sorted and filtered by keys, and only the rows that are seen are made.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compareKeys, type Items, Sorted } from '../../src/looking/window.ts'

interface Person {
  readonly name: string | undefined
  readonly age: number
}

function people(list: () => readonly Person[]): { readonly items: Items<Person, string>; made(): number } {
  let made = 0
  return {
    made: () => made,
    items: {
      list,
      keys: { name: ({ name }) => name, age: ({ age }) => age },
      textOf: ({ name }) => name ?? '',
      rowOf: ({ name, age }) => {
        made++
        return `${name} ${age}`
      },
    },
  }
}

const three = [
  { name: 'Robert', age: 3 },
  { name: undefined, age: 2 },
  { name: 'Joe', age: 3 },
]
const range = { filter: '', order: 'id', descending: false, offset: 0, limit: 10 }

describe('a sorted table', () => {
  test('keeps the order of the beginning for the column id, in either direction', () => {
    const sorted = new Sorted(people(() => three).items)
    assert.deepEqual(sorted.show(range).rows, ['Robert 3', 'undefined 2', 'Joe 3'])
    assert.deepEqual(sorted.show({ ...range, descending: true }).rows, ['Joe 3', 'undefined 2', 'Robert 3'])
  })

  test('puts what is absent last in either direction, and keeps the order of equals', () => {
    const sorted = new Sorted(people(() => three).items)
    assert.deepEqual(sorted.show({ ...range, order: 'name' }).rows, ['Joe 3', 'Robert 3', 'undefined 2'])
    assert.deepEqual(sorted.show({ ...range, order: 'name', descending: true }).rows, [
      'Robert 3',
      'Joe 3',
      'undefined 2',
    ])
    assert.deepEqual(sorted.show({ ...range, order: 'age', descending: true }).rows, [
      'Robert 3',
      'Joe 3',
      'undefined 2',
    ])
  })

  test('makes only the rows that are seen, and tells how many there are', () => {
    const all = Array.from({ length: 100_000 }, (_, age) => ({ name: `n${age}`, age }))
    const { items, made } = people(() => all)
    const sorted = new Sorted(items)
    const table = sorted.show({ ...range, order: 'age', descending: true, offset: 99_990, limit: 20 })
    assert.equal(made(), 10)
    assert.equal(table.rows.at(-1), 'n0 0')
    assert.deepEqual([table.total, table.matching, table.offset], [100_000, 100_000, 99_990])
    assert.equal(sorted.show({ ...range, filter: 'N9999' }).matching, 11)
  })

  test('throws an Error that names the columns for one that is not there', () => {
    const sorted = new Sorted(people(() => three).items)
    assert.throws(
      () => sorted.show({ ...range, order: 'shoes' }),
      /order must be one of id, name, age, not shoes/,
    )
    for (const order of ['constructor', '__proto__', 'toString']) {
      assert.throws(() => sorted.show({ ...range, order }), /order must be one of id, name, age, not/)
    }
  })
})

test('keys of one kind are compared as numbers, texts and booleans are', () => {
  assert.ok(compareKeys(9, 10, false) < 0)
  assert.ok(compareKeys('b', 'a', false) > 0)
  assert.ok(compareKeys(false, true, false) < 0)
  assert.ok(compareKeys(9, 10, true) > 0)
  assert.equal(compareKeys('', undefined, false), 0)
})
