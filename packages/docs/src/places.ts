/** Each public name has one page: here its address, its kind, and how it is found by what comments call it. */

import { type DeclarationReflection, type ProjectReflection, ReflectionKind } from 'typedoc'
import { type Chapter, chapters } from './order.ts'

export type Kind = 'function' | 'message' | 'option' | 'event' | 'error' | 'code' | 'type' | 'extension'

/** A page of the API. */
export interface Place {
  /** The path of the page in `docs/api`, without `.md`. Examples name it in the comment that begins them. */
  readonly id: string
  readonly kind: Kind
  /** The heading: a name as a program writes it. */
  readonly title: string
  readonly chapter: Chapter
  /** The reflections that the page tells of; a message has one for each of its shapes. */
  readonly subjects: readonly DeclarationReflection[]
}

/** A public name, with the path at which its package exports it. */
interface Named {
  readonly path: string
  readonly reflection: DeclarationReflection
}

const isFolder = (reflection: DeclarationReflection) =>
  reflection.kindOf([ReflectionKind.Module, ReflectionKind.Namespace])

function* namesIn(parent: DeclarationReflection, prefix = ''): Generator<Named> {
  for (const reflection of parent.children ?? []) {
    const path = prefix + reflection.name
    // The entry `index` of a package with several entries is the package itself.
    if (isFolder(reflection)) yield* namesIn(reflection, path === 'index' ? '' : `${path}.`)
    else if (!reflection.kindOf(ReflectionKind.Reference)) yield { path, reflection }
  }
}

/** The literal that tells a message apart from others. */
export function tagOf(message: DeclarationReflection): string | undefined {
  const type = message.children?.find(({ name }) => name === 'type')?.type
  return type?.type === 'literal' && typeof type.value === 'string' ? type.value : undefined
}

/** How a program writes a name: gun is imported as a whole, the others name by name. */
const written = (chapter: Chapter, path: string) =>
  chapter.name === 'gun' ? `gun.${path}` : path.replace(/^(xstate|nats|otel|frames)\./, '')

const lastOf = (path: string) => path.slice(path.lastIndexOf('.') + 1)
const idOf = (chapter: Chapter, path: string) => `${chapter.name}/${path.replaceAll('.', '/')}`

function typeId(chapter: Chapter, path: string): string {
  const parts = path.split('.')
  return [chapter.name, ...parts.slice(0, -1), 'types', parts.at(-1)].join('/')
}

const isOption = (path: string) =>
  /(Opts|Options|Limits)$/.test(path) || ['Retry', 'ProxyUser'].includes(path)
const isEvent = (path: string) => /Event$/.test(path) && path !== 'SseEvent' && path !== 'ServerSentEvent'

function placesOf(chapter: Chapter, module: DeclarationReflection): Place[] {
  const names = new Map([...namesIn(module)].map(({ path, reflection }) => [path, reflection]))
  const places: Place[] = []
  const take = (path: string): DeclarationReflection => {
    const reflection = names.get(path)
    if (reflection === undefined)
      throw new Error(`order.ts names ${path}, which @holster/${chapter.name} does not export`)
    names.delete(path)
    return reflection
  }
  const add = (kind: Kind, id: string, title: string, ...subjects: DeclarationReflection[]) =>
    places.push({ id, kind, title, chapter, subjects })

  for (const { names: group } of chapter.groups) {
    for (const path of group) add('function', idOf(chapter, path), written(chapter, path), take(path))
  }
  for (const [tag, paths] of Object.entries(messagesOf(chapter, names))) {
    add('message', `${chapter.name}/messages/${tag}`, tag, ...paths.map(take))
  }
  for (const path of chapter.errors ?? [])
    add('error', `${chapter.name}/errors/${lastOf(path)}`, lastOf(path), take(path))
  for (const path of chapter.extension ?? [])
    add('extension', typeId(chapter, path), lastOf(path), take(path))
  for (const path of [...names.keys()]) {
    const reflection = take(path)
    if (path === 'GunErrorCodes') {
      for (const code of reflection.children ?? [])
        add('code', `${chapter.name}/errors/${code.name}`, code.name, code)
    }
    if (reflection.kindOf(ReflectionKind.Function))
      throw new Error(`${path} of @holster/${chapter.name} has no place in order.ts`)
    const kind = isOption(path) ? 'option' : isEvent(path) ? 'event' : 'type'
    add(kind, typeId(chapter, path), lastOf(path), reflection)
  }
  return places
}

/** Paths of the types of messages by their tags: those in the union of all, and those that order.ts adds. */
function messagesOf(
  chapter: Chapter,
  names: ReadonlyMap<string, DeclarationReflection>,
): Record<string, string[]> {
  const byTag: Record<string, string[]> = {}
  const visit = (path: string): void => {
    const reflection = names.get(path)
    if (reflection === undefined) return
    const tag = tagOf(reflection)
    if (tag !== undefined) {
      byTag[tag] ??= []
      byTag[tag].push(path)
    } else if (reflection.type?.type === 'union') {
      for (const type of reflection.type.types) if (type.type === 'reference') visit(type.name)
    }
  }
  visit('GunMessage')
  for (const [tag, paths] of Object.entries(chapter.messages ?? {})) byTag[tag] = [...paths]
  return byTag
}

/** Whether a type is one that nobody would write out twice. */
const isLong = (type: string) => /^keyof |Omit</.test(type)

/** The words of a type, since the members of a union come in any order. */
const sorted = (type: string) =>
  type
    .split(/[^\w$]+/)
    .sort()
    .join(' ')

/** All pages, and how to find them. */
export class Places {
  readonly all: readonly Place[]
  readonly #byReflection = new Map<number, Place>()
  readonly #byName = new Map<string, Place[]>()
  /** The names of long types by what they stand for, since TypeDoc shows that where a property may be absent. */
  readonly #aliases = new Map<string, string>()

  constructor(project: ProjectReflection) {
    this.all = chapters.flatMap(chapter => {
      const module = project.children?.find(({ name }) => name === `@holster/${chapter.name}`)
      if (module === undefined) throw new Error(`TypeDoc has read no package @holster/${chapter.name}`)
      return placesOf(chapter, module)
    })
    for (const place of this.all) {
      for (const subject of place.subjects) {
        if (subject.kindOf(ReflectionKind.TypeAlias) && isLong(`${subject.type}`))
          this.#aliases.set(sorted(`${subject.type}`), subject.name)
        this.#byReflection.set(subject.id, place)
        for (const name of new Set([
          place.title,
          place.title.replace(/^gun\./, ''),
          lastOf(place.title),
          subject.name,
        ])) {
          this.#byName.set(name, [...(this.#byName.get(name) ?? []), place])
        }
      }
    }
  }

  /** Gives the name of a type that was written out; any other stays as it is. */
  shortened(type: string): string {
    return (isLong(type) ? this.#aliases.get(sorted(type)) : undefined) ?? type
  }

  /** Gives the page of what TypeDoc has read; that of a method or a property is the page of its type. */
  of(reflection: { readonly id: number; readonly parent?: unknown } | undefined): Place | undefined {
    return reflection === undefined ? undefined : this.#byReflection.get(reflection.id)
  }

  /**
   * Gives the page that a comment of `from` means by a name: one of its module before one of its package, and a function of another
   * module only by its whole name. Methods of Process go without the name of their class.
   */
  named(name: string, from: Place): Place | undefined {
    // Tags such as `call` and `timeout` are words: comments name the types of these messages.
    const found = (this.#byName.get(name) ?? []).filter(
      ({ kind }) => kind !== 'message' || !/^[a-z]+$/.test(name),
    )
    const own = found.filter(({ chapter }) => chapter === from.chapter)
    const isOfModule = ({ id }: Place) => moduleOf(id) === moduleOf(from.id)
    return (
      own.find(({ id }) => folderOf(id) === folderOf(from.id)) ??
      own.find(isOfModule) ??
      own.find(isTop) ??
      (own.length === 1 && isTop(from) ? own[0] : undefined) ??
      found.find(place => place.chapter.name === 'process' && isTop(place)) ??
      (METHODS.has(name)
        ? this.#byName.get('Process')?.find(({ kind }) => kind === 'function')
        : undefined) ??
      // A word such as `timeout` is hardly ever the code of an error of another package.
      found.find(place => place.kind !== 'function' && /[A-Z_]/.test(name) && isTop(place))
    )
  }
}

/** The methods of Process that comments name without `self`. */
const METHODS: ReadonlySet<string> = new Set(
  [
    ['send', 'receive', 'flush', 'alias', 'unalias', 'exited', 'trapExit'],
    ['monitor', 'demonitor', 'link', 'unlink', 'spawnLink', 'spawnMonitor', 'monitorNode'],
    ['sendAfter', 'startTimer', 'readTimer', 'cancelTimer'],
  ].flat(),
)

const folderOf = (id: string) => id.slice(0, id.lastIndexOf('/'))

/** The folder of the functions beside which a type stands. */
const moduleOf = (id: string) => folderOf(id).replace(/\/types$/, '')

/** Whether a name is exported by the package itself or by an entry, and not as part of a module. */
const isTop = ({ id }: Place) => /^\w+\/(?:(?:types|messages|errors|xstate|nats|otel)\/)*\w+$/.test(id)
