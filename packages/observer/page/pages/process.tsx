/** One process: what it waits for, what waits for it, and whom it is tied to. */

import { useState } from 'preact/hooks'
import type { ProcessPage as Process, Subject } from '../../src/words.ts'
import { Act } from '../act.tsx'
import { EventList } from '../event-list.tsx'
import { Facts, PageHead, Panel } from '../page-head.tsx'
import { nameOf, RefLink, RefList } from '../ref-link.tsx'
import { hrefOf, hrefOfTrace } from '../route.ts'
import { SampledNotice, ViewNotice } from '../status.tsx'
import { bytes, count, counted, duration, oldestOf, span } from '../units.ts'
import { useActions, useProgramNow, useView } from '../use-connection.ts'

export function ProcessPage({ subject }: { readonly subject: Subject }) {
  const seen = useView('process', subject)
  const { value } = seen
  const hasEnded = value?.status === 'exited'
  return (
    <>
      <PageHead
        title={value === undefined ? subject.id : nameOf(value)}
        id={subject.id}
        above={{ href: hrefOf('processes'), text: 'Processes' }}
        badges={value !== undefined && <span class={`state ${value.status}`}>{value.status}</span>}
      >
        <a class="button plain" href={hrefOfTrace(subject)}>
          Trace
        </a>
      </PageHead>
      <ViewNotice {...seen} />
      {hasEnded && (
        <p class="notice ended" role="status">
          This process has ended with <code>{value.exitReason ?? 'a reason that is not known'}</code>. Its
          last state is shown.
        </p>
      )}
      {value === undefined ? <p class="quiet">Looking…</p> : <Shown value={value} />}
      {value !== undefined && !hasEnded && <Acts subject={subject} />}
    </>
  )
}

function Shown({ value }: { readonly value: Process }) {
  const now = useProgramNow()
  return (
    <>
      <Facts
        facts={[
          ['Messages', <span class={value.isOverMark ? 'over' : undefined}>{count(value.messages)}</span>],
          ['Bytes', bytes(value.bytes)],
          ['Oldest message', oldestOf(value, now) || 'none'],
          ['Messages waited', <Waited value={value} />],
          ['Mark', markOf(value)],
          ['Traps exits', value.trapExit ? 'yes' : 'no'],
          ['Timers', value.timers.length === 0 ? 'none' : value.timers.map(duration).join(', ')],
          ['Node', value.node],
        ]}
      />
      <div class="panels">
        <div>
          <Waits value={value} now={now} />
          <Panel title="Links and owners">
            <dl class="ties">
              <dt>Supervisor</dt>
              <dd>{value.supervisor === undefined ? <None /> : <RefLink about={value.supervisor} />}</dd>
              <dt>Links</dt>
              <dd>
                <RefList refs={value.linksTo} />
              </dd>
              <dt>Monitors</dt>
              <dd>
                <RefList refs={value.monitors} />
              </dd>
              <dt>Monitored by</dt>
              <dd>
                <RefList refs={value.monitoredBy} />
              </dd>
              <dt>Owns</dt>
              <dd>
                <RefList refs={value.owns} />
              </dd>
              <dt>Presses back on</dt>
              <dd>
                <RefList refs={value.pressesOn} />
              </dd>
            </dl>
          </Panel>
        </div>
        <div>
          <Mailbox value={value} />
          <Panel title="Spawned at">
            {value.spawnedAt === undefined ? (
              <p class="quiet">Not recorded. The program can turn on the option recordSpawns.</p>
            ) : (
              <pre>{value.spawnedAt}</pre>
            )}
          </Panel>
        </div>
      </div>
      <Panel title="Recent events" note="since you opened this page, the newest first">
        <SampledNotice isSampled={value.isSampled} />
        {value.recent.length === 0 ? (
          <p class="quiet">Nothing has happened yet.</p>
        ) : (
          <EventList events={value.recent} />
        )}
      </Panel>
    </>
  )
}

/** Shows how long those messages have waited that have waited longest, and the others under the pointer. */
function Waited({ value: { messageWaits } }: { readonly value: Process }) {
  if (messageWaits === undefined) return <span class="quiet">none taken yet</span>
  const { last, median, p99, longest } = messageWaits
  return (
    <span title={`half of them at most ${duration(median)}, the last ${duration(last)}`}>
      99% at most {duration(p99)}, longest {duration(longest)}
    </span>
  )
}

function None() {
  return <span class="quiet">none</span>
}

function Waits({ value, now }: { readonly value: Process; readonly now: number }) {
  return (
    <Panel title="Waits for">
      {value.waits.length === 0 && <p class="quiet">It waits for nothing now.</p>}
      <ol class="waits">
        {value.waits.map(({ patterns, timeout, since }, at) => (
          <li key={at}>
            {patterns.map(pattern => (
              <code key={pattern}>{pattern}</code>
            ))}
            <span class="quiet">
              {since === undefined ? 'since before the observer looked' : `for ${span(now - since)}`}
              {timeout === null ? ', without a limit' : `, gives up in ${duration(timeout)}`}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

function Mailbox({ value }: { readonly value: Process }) {
  const { mailbox, messages } = value
  const note =
    messages > mailbox.length ? `the oldest ${count(mailbox.length)} of ${count(messages)}` : undefined
  return (
    <Panel title="Mailbox" note={note}>
      {mailbox.length === 0 ? (
        <p class="quiet">It is empty.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard.
        <ol class="mailbox" tabIndex={0}>
          {mailbox.map((message, at) => (
            <li key={at}>
              <code>{message}</code>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}

function markOf({ mark }: Process): string {
  const parts = [
    mark.messages === null ? undefined : counted(mark.messages, 'message'),
    mark.bytes === null ? undefined : bytes(mark.bytes),
  ].filter(part => part !== undefined)
  return parts.length === 0 ? 'none' : parts.join(' or ')
}

function Acts({ subject }: { readonly subject: Subject }) {
  const isAllowed = useActions()
  const [message, setMessage] = useState('')
  const [reason, setReason] = useState('shutdown')
  if (!isAllowed) return null
  return (
    <Panel title="Act" note="asked for twice">
      <div class="act-forms">
        <div class="field">
          <label for="message">Message, in JSON5</label>
          <textarea
            id="message"
            rows={2}
            spellcheck={false}
            value={message}
            onInput={event => setMessage(event.currentTarget.value)}
          />
          <Act text="Send" action={{ type: 'send', subject, message }} />
        </div>
        <div class="field">
          <label for="reason">Reason for the end</label>
          <input id="reason" value={reason} onInput={event => setReason(event.currentTarget.value)} />
          <Act text="End process" isDangerous action={{ type: 'exit', subject, reason }} />
        </div>
      </div>
    </Panel>
  )
}
