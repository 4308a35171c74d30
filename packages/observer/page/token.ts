/** The token that opens the observer: it comes in the fragment of the address, and is kept for as long as the tab lives. */

const KEY = 'holster.token'

/** The token where the browser lets the page keep nothing. */
let unkept: string | undefined

/** Takes a token out of the address bar, and leaves the route there. */
export function takeToken(): void {
  const [, before = '', token, after = ''] = /^#?(.*?)[?&]?\btoken=([^&]*)&?(.*)$/.exec(location.hash) ?? []
  if (token === undefined) return
  keepToken(decodeURIComponent(token))
  history.replaceState(history.state, '', `#${before}${after}`)
}

/** Keeps a token. */
export function keepToken(token: string): void {
  unkept = token
  try {
    sessionStorage.setItem(KEY, token)
  } catch {
    // Cookies and storage are blocked: the token lives as long as the page.
  }
}

/** Gives the token; `undefined` if there is none. */
export function keptToken(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? unkept
  } catch {
    return unkept
  }
}

/** Gives a token as a subprotocol may carry it. */
export function base64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
