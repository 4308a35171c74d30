/** The first page of each package, and the navigation beside its pages. */

import { tell } from './comment.ts'
import { type Chapter, chapters } from './order.ts'
import type { Kind, Place, Places } from './places.ts'
import { slugOf } from './slug.ts'

/** Kinds in the order in which a package shows them, behind its functions. */
const KINDS: readonly (readonly [Kind, string])[] = [
  ['message', 'Messages'],
  ['option', 'Options'],
  ['error', 'Errors'],
  ['code', 'Error codes'],
  ['event', 'Events'],
  ['type', 'Types'],
  ['extension', 'For those who extend it'],
]

interface Section {
  readonly title: string
  readonly places: readonly Place[]
}

function sectionsOf(chapter: Chapter, places: Places): Section[] {
  const own = places.all.filter(place => place.chapter === chapter)
  const functions = own.filter(({ kind }) => kind === 'function')
  let from = 0
  const groups = chapter.groups.map(({ title, names }) => {
    const places = functions.slice(from, from + names.length)
    from += names.length
    return { title, places }
  })
  const kinds = KINDS.map(([kind, title]) => ({ title, places: own.filter(place => place.kind === kind) }))
  return [...groups, ...kinds.filter(({ places }) => places.length > 0)]
}

/** The first sentence of the comment on what a page tells of. */
function firstSentence(place: Place, places: Places): string {
  const [subject] = place.subjects
  const signature = subject?.signatures?.[0]
  const ownNames = new Set(signature?.parameters?.map(({ name }) => name))
  const { text } = tell(signature?.comment ?? subject?.comment, { place, places, ownNames })
  return (/^(?:`[^`]*`|[^`])*?[.:](?=\s|$)/.exec(text)?.[0] ?? text).replace(/\s+/g, ' ').replace(/:$/, '.')
}

function chapterPage(chapter: Chapter, places: Places): string {
  const sections = sectionsOf(chapter, places).flatMap(section => [
    `## ${section.title}`,
    section.places
      .map(place => `- [\`${place.title}\`](/api/${place.id}): ${firstSentence(place, places)}`)
      .join('\n'),
  ])
  const taken = chapter.taken === undefined ? [] : [chapter.taken]
  return [`# @holster/${chapter.name}`, chapter.about, ...taken, ...sections].join('\n\n').concat('\n')
}

/** Gives these pages, and the navigation as JSON, by their paths in `docs`. */
export function* indexes(places: Places): Generator<readonly [string, string]> {
  yield [
    'api/index.md',
    `# The API\n\n${chapters.map(({ name, about }) => `- [@holster/${name}](/api/${name}/): ${about}`).join('\n')}\n`,
  ]
  for (const chapter of chapters) yield [`api/${chapter.name}/index.md`, chapterPage(chapter, places)]
  // Each package has a navigation of its own: all names together would be most of each page.
  const others = chapters.map(({ name }) => ({ text: `@holster/${name}`, link: `/api/${name}/` }))
  const navigation = chapters.map(chapter => [
    `/api/${chapter.name}/`,
    [
      ...sectionsOf(chapter, places).map(section => ({
        text: section.title,
        link: `/api/${chapter.name}/#${slugOf(section.title)}`,
        collapsed: true,
        items: section.places.map(({ title, id }) => ({ text: title, link: `/api/${id}` })),
      })),
      { text: 'Packages', items: others },
    ],
  ])
  yield [
    'api/sidebar.json',
    JSON.stringify({ ...Object.fromEntries(navigation), '/api/': [{ text: 'Packages', items: others }] }),
  ]
}
