// Tests are left out only in a dry run, and wrong arguments are named.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NODES, optionsOf } from '../src/options.ts'
import { missingProvenance } from '../src/publication.ts'

test('a release runs all tests on all Nodes', () => {
  assert.deepEqual(optionsOf([]), { dryRun: false, record: false, nodes: NODES, tests: [] })
})

test('a dry run may leave tests and Nodes out', () => {
  const options = optionsOf(['--dry-run', '--nodes=20,24', '--tests=docs,http1', '--record'])
  assert.deepEqual(options, { dryRun: true, record: true, nodes: ['20', '24'], tests: ['docs', 'http1'] })
})

for (const args of [['--nodes=20'], ['--tests=docs']]) {
  test(`a release refuses ${args}`, () => {
    assert.throws(() => optionsOf(args), /leave tests out, so they need --dry-run/)
  })
}

test('an unknown Node and an unknown option are refused', () => {
  assert.throws(() => optionsOf(['--dry-run', '--nodes=18']), /may name 20, 22, 24, 26, not 18/)
  assert.throws(() => optionsOf(['--dryrun']), /'--dryrun'/)
})

test('a provenance needs a service that vouches for the build', () => {
  assert.match(missingProvenance({}) ?? '', /only within GitHub Actions or GitLab CI/)
  assert.match(missingProvenance({ GITHUB_ACTIONS: 'true' }) ?? '', /id-token: write/)
  assert.match(missingProvenance({ GITLAB_CI: 'true' }) ?? '', /SIGSTORE_ID_TOKEN/)
  const github = { GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://localhost' }
  assert.equal(missingProvenance(github), undefined)
  assert.equal(missingProvenance({ GITLAB_CI: 'true', SIGSTORE_ID_TOKEN: 'token' }), undefined)
})
