/**
 * The one changelog of the workspace: a release turns what stands under "Unreleased", and the texts of the changesets, into the
 * section of its version.
 */

/** The text of one changeset. */
export interface Entry {
  /** The package under whose heading it stands. */
  readonly package: string
  /** The text in Markdown. */
  readonly summary: string
}

const UNRELEASED = 'Unreleased'

/** The text under each heading of the third level, in order; what stands before the first has the empty name. */
type Parts = Map<string, string>

/** Gives the section of a version. Headings come in the order of `packages`; others, and what stands before all, come first. */
export function sectionOf(
  version: string,
  date: string,
  unreleased: string,
  entries: readonly Entry[],
  packages: readonly string[],
): string {
  const parts = partsOf(unreleased)
  for (const { package: name, summary } of entries) {
    const [key = `\`${name}\``] = [...parts.keys()].filter(heading => heading.includes(name))
    parts.set(key, `${parts.get(key) ?? ''}\n${itemOf(summary)}`.trim())
  }
  const rank = (heading: string) => packages.findIndex(name => heading === `\`${name}\``)
  const ordered = [...parts].filter(([, text]) => text !== '').sort(([a], [b]) => rank(a) - rank(b))
  const texts = ordered.map(([heading, text]) => (heading === '' ? text : `### ${heading}\n\n${text}`))
  return `## ${version} (${date})\n\n${texts.join('\n\n')}\n`
}

/** Gives the text under the heading "Unreleased". */
export function unreleasedOf(changelog: string): string {
  return splitAtUnreleased(changelog).unreleased.trim()
}

/** Puts a section in front of all others, in place of what was unreleased. */
export function withSection(changelog: string, section: string): string {
  const { before, after } = splitAtUnreleased(changelog)
  return `${[before.trimEnd(), section.trimEnd(), after.trim()].filter(part => part !== '').join('\n\n')}\n`
}

function splitAtUnreleased(changelog: string): { before: string; unreleased: string; after: string } {
  const [before = '', ...sections] = changelog.split(/^(?=## )/m)
  const [first = '', ...others] = sections
  const heading = `## ${UNRELEASED}\n`
  if (!first.startsWith(heading)) return { before, unreleased: '', after: sections.join('') }
  return { before, unreleased: first.slice(heading.length), after: others.join('') }
}

function partsOf(unreleased: string): Parts {
  const [before = '', ...sections] = unreleased.split(/^### /m)
  const parts: Parts = new Map([['', before.trim()]])
  for (const section of sections) {
    const [heading = '', ...lines] = section.split('\n')
    parts.set(heading.trim(), lines.join('\n').trim())
  }
  return parts
}

/** Gives a text as an item of a list, unless it is a list. */
function itemOf(summary: string): string {
  const text = summary.trim()
  if (text.startsWith('- ')) return text
  return `- ${text.replaceAll(/\n(?=.)/g, '\n  ')}`
}
