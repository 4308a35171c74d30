/** The limits that the page about security promises are those of the defaults. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { FIRST } from '../../src/http2/engine/flood.ts'
import { AWAIT_DEFAULTS } from '../../src/options/await.ts'
import { HTTP_DEFAULTS, HTTP2_DEFAULTS } from '../../src/options/http.ts'
import { RETRY_DEFAULTS } from '../../src/options/options.ts'
import { WS_DEFAULTS } from '../../src/options/websocket.ts'

const page = await readFile(new URL('../../../../docs/how-to/security.md', import.meta.url), 'utf8')
const MIB = 1024 * 1024

const mib = (bytes: number) => `${bytes / MIB} MiB`
const seconds = (ms: number) => `${ms / 1000} seconds`
const plain = (count: number) => count.toLocaleString('en')

/** Of each row a part of it, and what the row has to say. */
const limits: readonly (readonly [row: string, limit: string])[] = [
  ['`httpOpts.maxHeaderBlockSize`', `${plain(HTTP_DEFAULTS.maxHeaderBlockSize)} bytes`],
  ['`httpOpts.maxTrailerBlockSize`', `${plain(HTTP_DEFAULTS.maxTrailerBlockSize)} bytes`],
  ['`http2Opts.maxHeaderListSize`', `${plain(HTTP2_DEFAULTS.maxHeaderListSize)} bytes`],
  [
    '`http2Opts.maxFragmentedHeaderBlockSize`',
    `${plain(2 * HTTP2_DEFAULTS.maxHeaderListSize + 16 * 1024)} bytes`,
  ],
  ['`http2Opts.maxFrameSizeReceived`', `${plain(HTTP2_DEFAULTS.maxFrameSizeReceived)} bytes`],
  ['pings, settings, pushes', `${plain(FIRST)}, `],
  ['`http2Opts.maxConcurrentStreams`', `${HTTP2_DEFAULTS.maxConcurrentStreams};`],
  ['`wsOpts.maxPayload`', mib(WS_DEFAULTS.maxPayload)],
  ['`wsOpts.maxFragments`', plain(WS_DEFAULTS.maxFragments)],
  ['`maxBodySize`', mib(AWAIT_DEFAULTS.maxBodySize)],
  ['`initialConnectionWindowSize`', `${mib(HTTP2_DEFAULTS.initialConnectionWindowSize)} a connection`],
  ['`initialConnectionWindowSize`', `${mib(HTTP2_DEFAULTS.initialStreamWindowSize)} a stream`],
  ['`httpOpts.cancelTimeout`', seconds(HTTP_DEFAULTS.cancelTimeout)],
  ['`http2Opts.prefaceTimeout`', seconds(HTTP2_DEFAULTS.prefaceTimeout)],
  ['`http2Opts.prefaceTimeout`', seconds(HTTP2_DEFAULTS.settingsTimeout)],
  ['`timeout` of these', seconds(AWAIT_DEFAULTS.timeout)],
  ['`closingTimeout`', seconds(WS_DEFAULTS.closingTimeout)],
  ['`closingTimeout`', seconds(HTTP_DEFAULTS.closingTimeout)],
  ['`closingTimeout`', seconds(HTTP2_DEFAULTS.closingTimeout)],
  ['`retryFun`', `${RETRY_DEFAULTS.retry},`],
]

for (const [part, limit] of limits) {
  test(`the page about security says ${limit} where it names ${part}`, () => {
    const row = page.split('\n').find(line => line.startsWith('|') && line.includes(part))
    assert.ok(row?.includes(limit), row ?? 'there is no such row')
  })
}
