/** Each decision has a page of the same shape, and the index lists it under its title. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages } from '../support/markdown.ts'

const folder = 'docs/decisions/'
const all = (await pages()).filter(({ path }) => path.startsWith(folder))
const index = all.find(({ path }) => path === `${folder}index.md`)
const decisions = all.filter(page => page !== index)

test('the index lists each decision under its title', () => {
  const listed = [...(index?.text ?? '').matchAll(/^- \[(.+)\]\((.+)\)$/gm)].map(([, title, file]) => ({
    title,
    path: `${folder}${file}`,
  }))
  const written = decisions.map(({ path, text }) => ({ title: /^# (.+)$/m.exec(text)?.[1], path }))
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1)
  assert.deepEqual(listed.sort(byPath), written.sort(byPath))
})

for (const { path, text } of decisions) {
  test(`${path} says its state, the reasons, what was rejected and what would change it`, () => {
    assert.match(text, /^\*\*State:\*\* (in force|decided)/m)
    const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, name]) => name)
    const shape = ['Context', 'Decision', 'Why', 'Figures', 'Rejected', 'What would change it']
    assert.deepEqual(
      sections,
      shape.filter(name => name !== 'Figures' || sections.includes(name)),
    )
  })
}
