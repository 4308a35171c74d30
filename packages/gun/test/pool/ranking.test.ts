import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Ranked, Ranking } from '../../src/pool/ranking.ts'

class Item implements Ranked {
  level = -1
  previous: Ranked | undefined
  next: Ranked | undefined
}

test('the first is always one with least to do, and of these the one that was placed last', () => {
  const steps = fc.array(fc.tuple(fc.nat(4), fc.option(fc.nat(5), { nil: undefined })))
  fc.assert(
    fc.property(steps, moves => {
      const ranking = new Ranking<Item>()
      const items = Array.from({ length: 5 }, () => new Item())
      // The model: the items with room, the one placed last in front.
      let model: { readonly item: Item; readonly level: number }[] = []
      for (const [n, level] of moves) {
        const item = items[n] as Item
        const old = model.find(each => each.item === item)
        ranking.place(item, level)
        if (old?.level !== level) {
          model = model.filter(each => each !== old)
          if (level !== undefined) model.unshift({ item, level })
        }
        const least = Math.min(...model.map(each => each.level))
        assert.equal(ranking.first, model.find(each => each.level === least)?.item)
      }
    }),
  )
})
