/** Makes links of the sources that comments name: to a page of Gun's manual, to the section of an RFC, to OTP or Elixir. */

const GUN = 'https://ninenines.eu/docs/en/gun/2.2/manual'
const GUN_CODE = 'https://github.com/ninenines/gun/blob/2.2.0/src'
const ERLANG = 'https://www.erlang.org/doc/apps'

/** Modules of Erlang by their application. */
const APPLICATIONS: Readonly<Record<string, string>> = {
  erlang: 'erts',
  init: 'erts',
  gen_server: 'stdlib',
  gen_statem: 'stdlib',
  supervisor: 'stdlib',
  sys: 'stdlib',
  proc_lib: 'stdlib',
  application: 'kernel',
  erpc: 'kernel',
  logger: 'kernel',
  net_kernel: 'kernel',
  pg: 'kernel',
  observer: 'observer',
}

const SYSTEM = 'https://www.erlang.org/doc/system'
const ELIXIR = 'https://hexdocs.pm/elixir'
const NATS = 'https://docs.nats.io'

const moduleOf = (module: string) => `${ERLANG}/${APPLICATIONS[module] ?? 'stdlib'}/${module}.html`
const inErlang = (module: string, name: string, arity: string) =>
  `${moduleOf(module)}#${name}/${arity.split(',')[0]}`

/** Patterns of sources, and the address of each; the first that fits is taken. A text may match several times. */
const KNOWN: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
  [/manual page (gun(?:_\w+)?):(\w+)/g, (_, module = '', name = '') => `${GUN}/${module}.${name}/`],
  [/manual page (gun(?:_\w+)?)(?!:)/g, (_, name = '') => `${GUN}/${name}/`],
  [/\b(gun_pool|gun_sse_h)\b(?::\w+)?/g, (_, module = '') => `${GUN_CODE}/${module}.erl`],
  [
    /RFC (\d+),? section ([\d.]+\d|\d+)/g,
    (_, rfc = '', section = '') => `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}`,
  ],
  [/RFC (\d+)(?!,? section)/g, (_, rfc = '') => `https://www.rfc-editor.org/rfc/rfc${rfc}`],
  // The callbacks that comments name are those of gen_server.
  [/`Module:(\w+)\/(\d)`/g, (_, name = '', arity = '') => `${moduleOf('gen_server')}#c:${name}/${arity}`],
  [/`(\w+):(\w+)\/([\d,]+)`/g, (_, module = '', name = '', arity = '') => inErlang(module, name, arity)],
  [/`(\w+):(\w+)\(\)`/g, (_, module = '', name = '') => `${moduleOf(module)}#t:${name}/0`],
  [/`erpc:call\([^`]*\)`/g, () => inErlang('erpc', 'call', '4')],
  [
    /`(\w+)\/([\d,]+)`(?= of `(\w+)`)/g,
    (_, name = '', arity = '', module = '') => inErlang(module, name, arity),
  ],
  [
    /`(Task\.Supervisor|Task|Registry|Supervisor|GenServer|DynamicSupervisor)\.(\w+[?!]?)\/(\d)`/g,
    (_, module = '', name = '', arity = '') => `${ELIXIR}/${module}.html#${name}/${arity}`,
  ],
  [
    /`t:(\w+)\.(\w+)\/(\d)`/g,
    (_, module = '', name = '', arity = '') => `${ELIXIR}/${module}.html#t:${name}/${arity}`,
  ],
  [/Elixir's `(Task|Registry|GenServer)`/g, (_, module = '') => `${ELIXIR}/${module}.html`],
  [/`(gen_server|gen_statem|supervisor|sys|pg|proc_lib)`/g, (_, module = '') => moduleOf(module)],
  [/Erlang's (?:logger|`logger`)/g, () => moduleOf('logger')],
  [/Erlang's `receive[^`]*`/g, () => `${SYSTEM}/expressions.html#receive`],
  [/`function_clause`/g, () => `${SYSTEM}/errors.html#exit-reasons`],
  [/`net_ticktime` of kernel/g, () => `${ERLANG}/kernel/kernel_app.html`],
  [
    /`(?:erlang:)?(is_process_alive|process_info|process_flag|spawn|exit|send|whereis)[/(][^`]*`/g,
    (_, name = '') =>
      `${ERLANG}/erts/erlang.html#${name === 'process_info' || name === 'process_flag' ? `${name}/2` : `${name}/1`}`,
  ],
  [
    /`resourceLimits` of `node:worker_threads`/g,
    () => 'https://nodejs.org/api/worker_threads.html#new-workerfilename-options',
  ],
  [/"Subject-Based Messaging"/g, () => `${NATS}/nats-concepts/subjects`],
  [/"Request-Reply"/g, () => `${NATS}/nats-concepts/core-nats/reqreply`],
  [/"Reconnecting"/g, () => `${NATS}/using-nats/developer/connecting/reconnect`],
]

/** Splits a comment into its text and its source, which comes behind `Source:`. */
export function splitSource(text: string): { readonly text: string; readonly source: string | undefined } {
  const found = /\s*\bSource:\s+([\s\S]+?)\.(?=\s|$)/.exec(text)
  if (found === null) return { text, source: undefined }
  const rest = text.slice(0, found.index) + text.slice(found.index + found[0].length)
  return { text: rest.trim(), source: (found[1] ?? '').replace(/\s+/g, ' ') }
}

/** Links what is known of a source; other text stays as it is. */
export function linkSources(source: string): string {
  const links: string[] = []
  let text = source
  for (const [pattern, address] of KNOWN) {
    text = text.replace(pattern, (...found: string[]) => {
      links.push(`[${found[0]}](${address(...found)})`)
      return `\u0000${links.length - 1}\u0000`
    })
  }
  return text.replace(/\0(\d+)\0/g, (_, index) => links[Number(index)] ?? '')
}

/** Links the sections of RFCs that a text names. */
export const linkRfcs = (text: string): string =>
  text.replace(
    /RFC (\d+)\s+section\s+(\d[\d.]*\d|\d)/g,
    (found, rfc, section) => `[${found}](https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section})`,
  )
