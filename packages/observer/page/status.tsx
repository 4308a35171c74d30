/** Words on how the connection to the program is. */

import { Button } from './button.tsx'
import type { Status } from './connection.ts'
import { fileOf, span } from './units.ts'
import { useConnection, useSilence, useStatus } from './use-connection.ts'
import { useNow } from './use-now.ts'

/** The lamp and the word of each status. */
const LAMPS: { readonly [Kind in Status['kind']]?: readonly [dot: string, word: string] } & {
  readonly other: readonly [dot: string, word: string]
} = { open: ['good', 'Live'], lost: ['bad', 'Lost'], other: ['', 'Connecting'] }

/** Shows the program that is looked at, and whether it is in reach. */
export function StatusLine() {
  const status = useStatus()
  const hello = status.kind === 'open' || status.kind === 'lost' ? status.hello : undefined
  const isSilent = useSilence() > 0
  const [dot, word] = isSilent ? ['bad', 'Silent'] : (LAMPS[status.kind] ?? LAMPS.other)
  return (
    <div class="status">
      <span class={`dot ${dot}`} />
      <span class="status-words">
        <span>{word}</span>
        {hello !== undefined && (
          <span class="program" title={hello.program}>
            {fileOf(hello.program)}
            <br />
            pid {hello.pid}
          </span>
        )}
      </span>
    </div>
  )
}

/** Says that the program is not in reach, and what is done about it. */
export function StatusNotice() {
  const status = useStatus()
  const connection = useConnection()
  const silence = useSilence()
  return (
    <div role="status">
      {silence > 0 && (
        <div class="notice bad">
          <p>
            The program does not answer: it is stopped, or its event loop is blocked. What is shown is how it
            was <span aria-hidden="true">{span(silence)} ago</span>.
          </p>
        </div>
      )}
      {status.kind === 'lost' && (
        <div class="notice bad">
          <p>
            The connection to the program is lost; what is shown is how it was.{' '}
            <Countdown to={status.retryAt} />
          </p>
          <Button onClick={() => connection.retry()}>Try now</Button>
        </div>
      )}
      {status.kind === 'foreign' && (
        <div class="notice bad">
          <p>
            The program speaks version {status.version} of the observer, and this page another. Reload the
            page.
          </p>
          <Button onClick={() => location.reload()}>Reload</Button>
        </div>
      )}
    </div>
  )
}

function Countdown({ to }: { readonly to: number }) {
  const left = to - useNow()
  // Readers of screens would say each second.
  return <span aria-hidden="true">{left > 0 ? `Trying again in ${span(left + 999)}.` : 'Trying again…'}</span>
}

/** Says that not all that has happened could be heard. */
export function SampledNotice({ isSampled }: { readonly isSampled: boolean }) {
  return (
    <div role="status">
      {isSampled && (
        <p class="notice">
          More happens than could be heard without slowing the program, so that some events are missing.
        </p>
      )}
    </div>
  )
}

/** Says why a view is not as fresh as usual, or cannot be shown. */
export function ViewNotice({
  every,
  problem,
}: {
  readonly every: number
  readonly problem: string | undefined
}) {
  return (
    <div role="status">
      {problem !== undefined && (
        <div class="notice bad">
          <p>This cannot be shown now: {problem}. It is tried again.</p>
        </div>
      )}
      {problem === undefined && every > 1000 && (
        <div class="notice">
          <p>
            Looking takes the program long here, so it is done only every {span(every)} and the program is not
            slowed.
          </p>
        </div>
      )}
    </div>
  )
}
