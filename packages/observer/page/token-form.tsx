/** Asks for the token that opens the observer. */

import { useState } from 'preact/hooks'
import { Button } from './button.tsx'
import { useConnection } from './use-connection.ts'

export function TokenForm({ wasWrong }: { readonly wasWrong: boolean }) {
  const connection = useConnection()
  const [token, setToken] = useState('')
  return (
    <main class="door">
      <form
        onSubmit={event => {
          event.preventDefault()
          if (token.trim() !== '') connection.unlock(token.trim())
        }}
      >
        <h1>Holster observer</h1>
        <p>This program shows itself only to those who have its token. The program prints it at its start.</p>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          value={token}
          aria-invalid={wasWrong}
          aria-describedby={wasWrong ? 'token-problem' : undefined}
          onInput={event => setToken(event.currentTarget.value)}
        />
        {wasWrong && (
          <p id="token-problem" class="problem" role="alert">
            That token is not right.
          </p>
        )}
        <Button type="submit" look="main">
          Look
        </Button>
      </form>
    </main>
  )
}
