/** How types and functions are written on a page. */

import {
  DeclarationReflection,
  type ParameterReflection,
  ReflectionKind,
  type SignatureReflection,
  type SomeType,
} from 'typedoc'
import { addressOf, escaped, type Setting } from './comment.ts'
import type { Place } from './places.ts'

const WIDTH = 88

/** The longest constraint of a type parameter that a signature shows. */
const CONSTRAINT = 60

const rest = (flags: { readonly isRest: boolean }) => (flags.isRest ? '...' : '')

const typeOf = ({ type }: ParameterReflection) =>
  (type?.type === 'reference' && type.reflection instanceof DeclarationReflection
    ? type.reflection.type
    : undefined) ?? type

/** Gives the names of a parameter: those of the elements of a tuple where it is one, taken apart. */
export function namesOf(parameter: ParameterReflection): readonly string[] {
  const { name, flags } = parameter
  if (!name.startsWith('__')) return [name]
  const elements = flags.isRest ? [...String(typeOf(parameter)).matchAll(/[[,] ?(\w+)\??: /g)] : []
  const names = new Set(elements.map(([, element = '']) => element))
  return names.size === 0 ? ['options'] : [...names]
}

/** Gives the call of a function with the types of its parameters. */
export function signatureOf(name: string, signature: SignatureReflection): string {
  const generics = (signature.typeParameters ?? []).map(({ name, type, default: standard }) => {
    const constraint = type === undefined || String(type).length > CONSTRAINT ? '' : ` extends ${type}`
    return `${name}${constraint}${standard === undefined ? '' : ` = ${standard}`}`
  })
  const parameters = (signature.parameters ?? []).map(parameter => {
    const { name, flags, type, defaultValue } = parameter
    const names = namesOf(parameter)
    const isTuple = name.startsWith('__') && flags.isRest
    const mark = flags.isOptional || defaultValue !== undefined ? '?' : ''
    return `${rest(flags)}${isTuple ? `[${names.join(', ')}]` : names[0]}${mark}: ${type}`
  })
  const head = name + (generics.length === 0 ? '' : `<${generics.join(', ')}>`)
  const tail = `: ${signature.type}`
  const line = `${head}(${parameters.join(', ')})${tail}`
  return line.length <= WIDTH || parameters.length === 0
    ? line
    : `${head}(\n${parameters.map(text => `  ${text},\n`).join('')})${tail}`
}

/** The names of the type parameters of all that a page tells of. */
function genericsOf(place: Place): ReadonlySet<string> {
  const members = place.subjects.flatMap(subject => [subject, ...(subject.children ?? [])])
  const declared = members.flatMap(member => [member, ...(member.signatures ?? [])])
  return new Set(declared.flatMap(({ typeParameters }) => typeParameters ?? []).map(({ name }) => name))
}

/** Gives a type as HTML in which names that have a page are links. */
export function linkedType(type: SomeType | string | undefined, setting: Setting): string {
  const text = setting.places.shortened(String(type ?? 'unknown'))
  const ownNames = genericsOf(setting.place)
  const parts = text.split(/('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*)/)
  // Markdown looks into HTML that stands within a line, and the address of a link has no marks of its own.
  const shown = (part: string) => escaped(part).replace(/([*_`[\]])/g, '\\$1')
  const linked = parts.map((part, index) => {
    if (index % 2 === 0 || /^['"]/.test(part)) return shown(part)
    const address = /^[A-Z]/.test(part) ? addressOf(part, { ...setting, ownNames }) : undefined
    return address === undefined ? shown(part) : `<a href="${address}">${shown(part)}</a>`
  })
  return `<code>${linked.join('')}</code>`
}

/** Gives how a type is declared, without its members. */
export function declarationOf(reflection: DeclarationReflection): string {
  const { name, typeParameters, type, extendedTypes } = reflection
  const generics =
    typeParameters === undefined ? '' : `<${typeParameters.map(({ name }) => name).join(', ')}>`
  const extending = extendedTypes === undefined ? '' : ` extends ${extendedTypes.join(', ')}`
  if (reflection.kindOf(ReflectionKind.Class)) return `class ${name}${generics}${extending}`
  if (reflection.kindOf(ReflectionKind.Interface)) return `interface ${name}${generics}${extending}`
  if (reflection.kindOf(ReflectionKind.Variable)) return `const ${name}: ${type}`
  if (type?.type === 'union')
    return `type ${name}${generics} =\n${type.types.map(each => `  | ${each}`).join('\n')}`
  return `type ${name}${generics} = ${type}`
}
