/** The arguments of the command line, read and checked. */

import { parseArgs } from 'node:util'

/** The tables that there are. */
export const TABLES = ['processes', 'connections', 'nodes'] as const
export type TableName = (typeof TABLES)[number]

export interface Arguments {
  /** The address of the observer. */
  readonly url: URL
  readonly token: string | undefined
  /** The table that is shown first, or printed. */
  readonly view: TableName
  /** What is printed in place of a view that lives. */
  readonly print: 'table' | 'json' | undefined
}

export const HELP = `Usage: holster-observer [options] URL

Shows the processes, connections and nodes of a program that runs an observer, as top does. The program prints the URL as it
starts; the token, if there is one, is part of the URL, or in the environment variable HOLSTER_OBSERVER_TOKEN.

Options:
  --view NAME   the table that is shown first: processes (default), connections or nodes
  --once        print the table once and exit; so it is without a terminal
  --json        print the overview as JSON and exit
  --help        print this text
  --version     print the version

Keys: Tab or 1 2 3 choose a table, < and > or letters the column to sort by, r reverses, / filters, arrows, PageUp, PageDown, Home
and End move, Enter opens what is marked, Esc or Backspace goes back, q quits. NO_COLOR turns colours off.
`

/** Reads the arguments. Gives a text to print for `--help` and `--version`. Throws an Error that says what is wrong. */
export function readArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  version: string,
): Arguments | { readonly text: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
      once: { type: 'boolean' },
      json: { type: 'boolean' },
      view: { type: 'string' },
    },
  })
  if (values.help) return { text: HELP }
  if (values.version) return { text: `${version}\n` }
  const [given, ...more] = positionals
  if (given === undefined)
    throw new Error('the URL of an observer is missing: give the one that the program has printed')
  if (more.length > 0) throw new Error(`one URL is enough: ${more[0]} is one more`)
  const url = urlOf(given)
  const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? environment.HOLSTER_OBSERVER_TOKEN
  return {
    url,
    token: token === undefined || token === '' ? undefined : token,
    view: viewNamed(values.view),
    print: values.json ? 'json' : values.once ? 'table' : undefined,
  }
}

function urlOf(given: string): URL {
  // A number alone is a port of this machine; as a URL it would be the address of another one.
  const place = /^\d{1,5}$/.test(given) ? `127.0.0.1:${given}` : given
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? place : `http://${place}`
  if (!URL.canParse(text)) throw new Error(`${given} is no URL, such as http://127.0.0.1:4010/`)
  const url = new URL(text)
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  throw new Error(`the URL must begin with http:// or https://, not ${url.protocol}//`)
}

function viewNamed(name = 'processes'): TableName {
  const view = TABLES.find(each => each === name)
  if (view === undefined) throw new Error(`--view must be one of ${TABLES.join(', ')}, not ${name}`)
  return view
}
