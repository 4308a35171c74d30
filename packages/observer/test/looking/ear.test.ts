// An ear hears so much between two looks and no more, so that a flood costs no more than a trickle.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ear, type Limits } from '../../src/looking/ear.ts'

/** A place where things happen, and where it is known how many listen. */
class Scene {
  readonly #listeners = new Set<(item: number) => void>()

  get listeners(): number {
    return this.#listeners.size
  }

  readonly listen = (hear: (item: number) => void): (() => void) => {
    this.#listeners.add(hear)
    return () => this.#listeners.delete(hear)
  }

  happen(...items: readonly number[]): void {
    for (const item of items) for (const hear of this.#listeners) hear(item)
  }
}

function earAt(scene: Scene, limits: Limits, passes?: (item: number) => boolean): Ear<number> {
  return new Ear(scene.listen, limits, passes)
}

test('all that happens is heard while it is little', () => {
  const scene = new Scene()
  const ear = earAt(scene, { kept: 3, heard: 10 })
  scene.happen(1, 2)
  assert.deepEqual(ear.take(), { items: [1, 2], isSampled: false })
  scene.happen(3)
  assert.deepEqual(ear.take(), { items: [3], isSampled: false })
  ear.close()
})

test('nobody listens once enough was kept, until the next look', () => {
  const scene = new Scene()
  const ear = earAt(scene, { kept: 2, heard: 10 })
  scene.happen(1, 2, 3, 4)
  assert.equal(scene.listeners, 0)
  assert.deepEqual(ear.take(), { items: [1, 2], isSampled: true })
  assert.equal(scene.listeners, 1)
  scene.happen(5)
  assert.deepEqual(ear.take(), { items: [5], isSampled: false })
  ear.close()
})

test('nobody listens once enough was heard, though nothing of it passes', () => {
  const scene = new Scene()
  const ear = earAt(scene, { kept: 2, heard: 3 }, item => item > 100)
  scene.happen(1, 2, 3, 101)
  assert.deepEqual(ear.take(), { items: [], isSampled: true })
  scene.happen(102)
  assert.deepEqual(ear.take(), { items: [102], isSampled: false })
  ear.close()
})

test('a closed ear gives what it has heard, and hears nothing more', () => {
  const scene = new Scene()
  const ear = earAt(scene, { kept: 2, heard: 10 })
  scene.happen(1)
  ear.close()
  scene.happen(2)
  assert.deepEqual(ear.take(), { items: [1], isSampled: false })
  assert.equal(scene.listeners, 0)
})
