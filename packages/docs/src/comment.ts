/** Comments become Markdown: names that have a page become links, and the source is told apart. */

import type { Comment, CommentDisplayPart } from 'typedoc'
import type { Place, Places } from './places.ts'
import { linkRfcs, linkSources, splitSource } from './sources.ts'

/** Where a comment stands: names of parameters and properties there are no links. */
export interface Setting {
  readonly place: Place
  readonly places: Places
  readonly ownNames: ReadonlySet<string>
  /** The types of the parameters that are named there, by the names of the parameters. */
  readonly types?: ReadonlyMap<string, string>
  /** Whether an example stands beside the comment, in place of the comment's own. */
  readonly isShown?: boolean
}

// `process.exit` and its like are Node's.
const NAME = /^(?:gun\.)?(?!process\.)([A-Za-z_][\w.]*)(?:\(\))?$/

/** Text in which Vue and HTML see nothing of their own. */
export const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('{{', '&#123;&#123;')
    .replaceAll('|', '&#124;')

/** Gives the address of the page that a name means there; `undefined`: none, or this page itself. */
export function addressOf(name: string, { place, places, ownNames, types }: Setting): string | undefined {
  const [, bare = ''] = NAME.exec(name) ?? []
  if (bare === '' || ownNames.has(bare)) return undefined
  const found = places.named(bare, place) ?? memberOf(bare, place, places, types)
  return found === undefined || found === place ? undefined : `/api/${found.id}${anchorOf(bare, found)}`
}

/** The heading of a member on the page of its type; a message shows its members in a table. */
function anchorOf(name: string, { title, kind, subjects }: Place): string {
  const member = name.slice(name.lastIndexOf('.') + 1)
  const isMember = subjects.some(({ children }) => children?.some(child => child.name === member))
  return isMember && member !== title && kind !== 'message' ? `#${member.toLowerCase()}` : ''
}

/** Options are named as `httpOpts.flow`, or by the parameter as `opts.owner`; methods as `self.receive`. */
function memberOf(
  name: string,
  place: Place,
  places: Places,
  types: ReadonlyMap<string, string> | undefined,
): Place | undefined {
  const [owner = '', member] = name.split('.')
  if (member === undefined) return undefined
  const type =
    types?.get(owner) || (owner === 'self' ? 'Process' : owner.charAt(0).toUpperCase() + owner.slice(1))
  return places.named(type, place)
}

function partOf(part: CommentDisplayPart, setting: Setting): string {
  if (part.kind === 'text')
    return part.text.replace(/<(?!\/?(?:br|kbd)\b)/g, '&lt;').replaceAll('{{', '&#123;&#123;')
  if (part.kind === 'code') {
    if (part.text.startsWith('```')) return setting.isShown ? '' : part.text
    const address = addressOf(part.text.replace(/^`+|`+$/g, ''), setting)
    return address === undefined ? part.text : `[${part.text}](${address})`
  }
  if (part.kind !== 'inline-tag') return ''
  const target =
    typeof part.target === 'object' && 'id' in part.target ? setting.places.of(part.target) : undefined
  return target === undefined ? `\`${part.text}\`` : `[\`${part.text}\`](/api/${target.id})`
}

export interface Told {
  readonly text: string
  /** The source, with links; `undefined`: the comment names none. */
  readonly source: string | undefined
}

/** Gives the summary of a comment. */
export function tell(comment: Comment | undefined, setting: Setting): Told {
  // The source is split off before names in it become links to pages of ours.
  const raw = (comment?.summary ?? [])
    .map(part => (part.kind === 'text' || part.kind === 'code' ? part.text : '\u0001'))
    .join('')
  const { source } = splitSource(raw)
  const { text } = splitSource((comment?.summary ?? []).map(part => partOf(part, setting)).join(''))
  return { text: linkRfcs(text.trim()), source: source === undefined ? undefined : linkSources(source) }
}

/** Gives what a tag such as `@to` says; `undefined`: the comment has no such tag. */
export function tagged(
  comment: Comment | undefined,
  tag: `@${string}`,
  setting: Setting,
): string | undefined {
  const found = comment?.blockTags.find(block => block.tag === tag)
  return found?.content
    .map(part => partOf(part, setting))
    .join('')
    .replace(/\n +/g, '\n')
    .trim()
}
