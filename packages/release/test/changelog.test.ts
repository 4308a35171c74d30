// A release turns what was unreleased, and the texts of changesets, into the section of its version.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sectionOf, unreleasedOf, withSection } from '../src/changelog.ts'

const DATE = '2026-01-31'
const PACKAGES = ['@holster/process', '@holster/gun']

test('changes stand under the headings of their packages, in the order of the packages', () => {
  const changes = [
    { package: '@holster/gun', summary: 'Requests have wings.' },
    { package: '@holster/process', summary: 'Processes sing.\nThey do so in tune.' },
    { package: '@holster/gun', summary: 'Frames too.' },
  ]
  assert.equal(
    sectionOf('0.2.0', DATE, '', changes, PACKAGES),
    `## 0.2.0 (2026-01-31)

### \`@holster/process\`

- Processes sing.
  They do so in tune.

### \`@holster/gun\`

- Requests have wings.
- Frames too.
`,
  )
})

test('changes follow what stands under "Unreleased", and other headings stay', () => {
  const unreleased = 'In general.\n\n### Tools\n\n- A tool.\n\n### `@holster/gun`\n\n- By hand.\n'
  const changes = [{ package: '@holster/gun', summary: '- A list\n- of two' }]
  assert.equal(
    sectionOf('0.2.0', DATE, unreleased, changes, PACKAGES),
    `## 0.2.0 (2026-01-31)

In general.

### Tools

- A tool.

### \`@holster/gun\`

- By hand.
- A list
- of two
`,
  )
})

test('the section takes the place of what was unreleased, in front of the older sections', () => {
  const changelog =
    '# Changelog\n\nNewest first.\n\n## Unreleased\n\n- By hand.\n\n## 0.1.0\n\n- The first.\n'
  assert.equal(unreleasedOf(changelog), '- By hand.')
  const next = withSection(changelog, '## 0.2.0\n\n- By hand.\n')
  assert.equal(next, '# Changelog\n\nNewest first.\n\n## 0.2.0\n\n- By hand.\n\n## 0.1.0\n\n- The first.\n')
  assert.equal(unreleasedOf(next), '')
  assert.equal(
    withSection(next, '## 0.3.0\n\n- Later.\n'),
    next.replace('## 0.2.0', '## 0.3.0\n\n- Later.\n\n## 0.2.0'),
  )
})
