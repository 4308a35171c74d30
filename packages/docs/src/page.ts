/** The pages of the API, each as Markdown. */

import { type DeclarationReflection, ReflectionKind, type SignatureReflection } from 'typedoc'
import { addressOf, type Setting, tagged, tell } from './comment.ts'
import type { Examples } from './examples.ts'
import { meaningOf } from './parameters.ts'
import type { Place, Places } from './places.ts'
import { declarationOf, linkedType, namesOf, signatureOf } from './signature.ts'

const fence = (code: string) => `\`\`\`ts\n${code}\n\`\`\``

/** Whether users never call a member: the name of such a member is a symbol of ours. */
const isForExtension = ({ name }: DeclarationReflection) => name.startsWith('[') && !LANGUAGE.has(name)

/** Members by which the language disposes of what a block holds, or loops over it. */
const LANGUAGE: ReadonlySet<string> = new Set([
  '[asyncDispose]',
  '[dispose]',
  '[asyncIterator]',
  '[iterator]',
])

const isMethod = (member: DeclarationReflection) =>
  member.kindOf([ReflectionKind.Method, ReflectionKind.Constructor])

/** The name of the type of options within the type of a parameter; empty: it has none. */
const optionsIn = (type: string) => /\w*(?:Opts|Options|Destination)\b/.exec(type)?.[0] ?? ''

export interface Book {
  readonly places: Places
  readonly examples: Examples
}

/** Writes the page of a place. */
export function pageOf(place: Place, { places, examples }: Book): string {
  const setting = (...names: readonly string[]): Setting => ({ place, places, ownNames: new Set(names) })
  let sources = new Set<string>()
  const note = (told: { readonly text: string; readonly source: string | undefined }): string => {
    if (told.source !== undefined) sources.add(told.source)
    return told.text
  }

  const sourceSections = () => (sources.size === 0 ? [] : [`**Source**: ${[...sources].join('; ')}`])

  /** Shows the sources of a member with it, and not at the end of the page. */
  function sourced(write: () => string[]): string[] {
    const outer = sources
    sources = new Set()
    const sections = [...write(), ...sourceSections()]
    sources = outer
    return sections
  }

  const shown = (id: string) => (examples.get(id) ?? []).map(fence)

  function parametersOf(signature: SignatureReflection): string[] {
    const parameters = signature.parameters ?? []
    if (parameters.length === 0) return []
    const names = setting(...parameters.map(({ name }) => name))
    const isUsed = place.kind === 'function' || place.kind === 'option'
    const rows = parameters.map(parameter => {
      const { type, flags, defaultValue } = parameter
      const own = namesOf(parameter)
      const told =
        note(tell(parameter.comment, names)) || own.map(name => meaningOf(place, name, isUsed)).join(' ')
      const mark = flags.isOptional || defaultValue !== undefined ? ', optional' : ''
      const meaning = told.replaceAll('\n', ' ').replaceAll('|', '\\|')
      return `| ${own.map(name => `\`${name}\``).join(', ')}${mark} | ${linkedType(type, setting())} | ${meaning} |`
    })
    return [`| parameter | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`]
  }

  function functionSections(reflection: DeclarationReflection, name: string, id: string): string[] {
    const signatures = reflection.signatures ?? []
    const sections: string[] = [fence(signatures.map(signature => signatureOf(name, signature)).join('\n'))]
    for (const signature of signatures) {
      const parameters = signature.parameters ?? []
      const names: Setting = {
        ...setting(...parameters.map(({ name }) => name)),
        types: new Map(parameters.map(({ name, type }) => [name, optionsIn(String(type))])),
        isShown: examples.has(id),
      }
      const text = note(tell(signature.comment, names))
      const returned = tagged(signature.comment, '@returns', names)
      sections.push(
        text,
        ...parametersOf(signature),
        String(signature.type) === 'void'
          ? ''
          : `Returns ${linkedType(signature.type, names)}${returned === undefined ? '' : `: ${returned}`}`,
      )
    }
    return sections
  }

  function memberSections(member: DeclarationReflection, names: readonly string[], level = '##'): string[] {
    const name = LANGUAGE.has(member.name) ? member.name.replace('[', '[Symbol.') : member.name
    const title = isMethod(member) ? `${name}()` : name
    const head = `${level} ${title.startsWith('[') ? `\`${title}\`` : title}`
    const id = `${place.id}#${member.name}`
    if (member.signatures !== undefined)
      return [head, ...sourced(() => [...functionSections(member, name, id), ...shown(id)])]
    const { comment, type } = member.getSignature ?? member
    const mark = member.flags.isOptional ? ', optional' : ''
    return [
      head,
      `${linkedType(type, setting())}${mark}`,
      ...sourced(() => [note(tell(comment ?? member.comment, setting(...names))), ...shown(id)]),
    ]
  }

  function typeSections(reflection: DeclarationReflection): string[] {
    const members = (reflection.children ?? []).filter(
      ({ inheritedFrom, flags }) => !flags.isPrivate && !fromOutside(inheritedFrom),
    )
    const names = members.map(({ name }) => name)
    const text = note(tell(reflection.comment, setting(...names)))
    const own = members.filter(member => !isForExtension(member))
    const extension = members.filter(isForExtension)
    const declared = place.title === 'gun.connectionMachine' ? [] : [fence(declarationOf(reflection))]
    return [
      text,
      ...declared,
      ...literalMembers(reflection),
      ...(place.kind === 'message' ? fieldsOf(own) : own.flatMap(member => memberSections(member, names))),
      ...(extension.length === 0
        ? []
        : [
            '## For those who extend it',
            ...extension.flatMap(member => memberSections(member, names, '###')),
          ]),
    ]
  }

  /** The fields of a message, the tag first. */
  function fieldsOf(members: readonly DeclarationReflection[]): string[] {
    const names = setting(...members.map(({ name }) => name))
    const sorted = [...members].sort((a, b) => Number(b.name === 'type') - Number(a.name === 'type'))
    const rows = sorted.map(({ name, type, flags, comment }) => {
      const mark = flags.isOptional ? ', optional' : ''
      const meaning = note(tell(comment, names)).replace(/\s+/g, ' ').replaceAll('|', '\\|')
      return `| \`${name}\`${mark} | ${linkedType(type, names)} | ${meaning} |`
    })
    return rows.length === 0 ? [] : [`| field | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`]
  }

  /** A union of objects has members too. */
  function literalMembers({ type }: DeclarationReflection): string[] {
    if (type?.type !== 'reflection') return []
    return (type.declaration.children ?? []).flatMap(member => memberSections(member, []))
  }

  function messageSections(shape: DeclarationReflection): string[] {
    const names = (shape.children ?? []).map(({ name }) => name)
    const facts = (['@to', '@order'] as const).flatMap(tag => {
      const text = tagged(shape.comment, tag, setting(...names))
      return text === undefined ? [] : [`**${tag === '@to' ? 'Goes to' : 'Order'}**: ${text}`]
    })
    return [
      ...(place.subjects.length === 1 ? [] : [`## ${shape.name}`]),
      ...typeSections(shape).toSpliced(1, 0, ...facts),
    ]
  }

  const subject = place.subjects[0]
  if (subject === undefined) throw new Error(`${place.id} has no subject`)
  const body =
    place.kind === 'message'
      ? place.subjects.flatMap(messageSections)
      : subject.signatures !== undefined
        ? functionSections(subject, place.title, place.id)
        : place.kind === 'code'
          ? [note(tell(subject.comment, setting()))]
          : typeSections(subject)
  const own = shown(place.id)
  return [
    `---\ntitle: "${place.title}"\noutline: [2, 3]\n---`,
    `# ${place.title}`,
    ...body,
    ...(own.length === 0 ? [] : ['## Example', ...own]),
    ...sourceSections(),
    ...neighbours(place, setting()),
  ]
    .filter(section => section !== '')
    .join('\n\n')
    .concat('\n')
}

/** Whether a member comes from a class of the language, such as Error. */
const fromOutside = (inherited: { readonly reflection?: unknown; readonly name: string } | undefined) =>
  inherited !== undefined &&
  inherited.reflection === undefined &&
  /^(Error|Map|Set|Promise|Object)\./.test(inherited.name)

/** The other functions of the group. */
function neighbours({ chapter, title, kind }: Place, setting: Setting): string[] {
  if (kind !== 'function') return []
  const bare = chapter.name === 'gun' ? title.replace(/^gun\./, '') : title
  const group = chapter.groups.find(({ names }) =>
    names.some(name => name.replace(/^(xstate|nats|otel|frames)\./, '') === bare),
  )
  const others = (group?.names ?? [])
    .map(name => name.replace(/^(xstate|nats|otel|frames)\./, ''))
    .filter(name => name !== bare)
  const links = others.map(name => `[\`${name}\`](${addressOf(name, setting) ?? ''})`)
  return links.length === 0 ? [] : [`**See also**: ${links.join(', ')}`]
}
