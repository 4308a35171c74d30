/** The waits of messages as a histogram in the text format of Prometheus: a histogram of prom-client can only count by ones. */

import type { MessageWaits } from '@holster/process'

const NAME = 'holster_mailbox_wait_seconds'
const HELP =
  'How long messages waited in mailboxes until a receive took them, by a sample, since somebody reads.'
const SECOND = 1000

/** Gives the lines of the histogram. */
export function waitHistogram({ buckets, messages, sum }: MessageWaits): string {
  let passed = 0
  const lines = buckets.map(({ most, messages: here }) => {
    passed += here
    const bound = most === Number.POSITIVE_INFINITY ? '+Inf' : most / SECOND
    return `${NAME}_bucket{le="${bound}"} ${passed}`
  })
  return [
    `# HELP ${NAME} ${HELP}`,
    `# TYPE ${NAME} histogram`,
    ...lines,
    `${NAME}_sum ${sum / SECOND}`,
    `${NAME}_count ${messages}`,
    '',
  ].join('\n')
}
