/** An action, which is asked for twice: the program puts a question, and only its answer does anything. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Action } from '../src/words.ts'
import { Button } from './button.tsx'
import type { Answer } from './connection.ts'
import { save } from './save.ts'
import { useActions, useConnection } from './use-connection.ts'

interface ActProps {
  /** Says what is done: `End`. */
  readonly text: string
  readonly action: Action
  readonly isDangerous?: boolean
  /** The name under which a file is saved that the action makes. */
  readonly file?: string
}

type State =
  | { readonly kind: 'idle' | 'asking' }
  | { readonly kind: 'question'; readonly ticket: string; readonly question: string }
  | { readonly kind: 'over'; readonly text: string; readonly hasFailed: boolean }

/** A button for an action; nothing, where the program does not allow any. */
export function Act({ text, action, isDangerous = false, file }: ActProps) {
  const isAllowed = useActions()
  const connection = useConnection()
  const [state, setState] = useState<State>({ kind: 'idle' })
  if (!isAllowed) return null
  const ask = async () => {
    setState({ kind: 'asking' })
    const answer = await connection.act(action)
    if (answer.type === 'confirm') setState({ ...answer, kind: 'question' })
    else setState(overBy(answer))
  }
  const confirm = async (ticket: string) => {
    setState({ kind: 'asking' })
    const answer = await connection.confirm(ticket)
    setState(overBy(answer))
    if (answer.type !== 'done' || answer.download === undefined) return
    try {
      save(await connection.download(answer.download), file ?? 'holster')
    } catch (error) {
      setState({
        kind: 'over',
        text: error instanceof Error ? error.message : String(error),
        hasFailed: true,
      })
    }
  }
  return (
    <span class="act">
      <Button
        look={isDangerous ? 'danger' : 'plain'}
        isDisabled={state.kind === 'asking'}
        onClick={() => void ask()}
      >
        {text}
      </Button>
      <span class={state.kind === 'over' && state.hasFailed ? 'act-over problem' : 'act-over'} role="status">
        {state.kind === 'over' && state.text}
      </span>
      {state.kind === 'question' && (
        <Question
          question={state.question}
          text={text}
          isDangerous={isDangerous}
          onYes={() => void confirm(state.ticket)}
          onNo={() => setState({ kind: 'idle' })}
        />
      )}
    </span>
  )
}

function overBy(answer: Answer): State {
  if (answer.type === 'done') return { kind: 'over', text: answer.text, hasFailed: false }
  return { kind: 'over', text: answer.type === 'failed' ? answer.text : 'It was not done.', hasFailed: true }
}

interface QuestionProps {
  readonly question: string
  readonly text: string
  readonly isDangerous: boolean
  readonly onYes: () => void
  readonly onNo: () => void
}

function Question({ question, text, isDangerous, onYes, onNo }: QuestionProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
    dialog.current?.querySelector('button')?.focus()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={onNo}>
      <h2 id="question">{question}</h2>
      <div class="dialog-acts">
        <Button onClick={() => dialog.current?.close()}>Cancel</Button>
        <Button look={isDangerous ? 'danger' : 'main'} onClick={onYes}>
          {text}
        </Button>
      </div>
    </dialog>
  )
}
