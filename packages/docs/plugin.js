/** Shows `connectionMachine` by its class alone: its inferred type spells out every state, which no reader wants. */

import { Converter, ReferenceType, ReflectionKind } from 'typedoc'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const variable of project.getReflectionsByKind(ReflectionKind.Variable)) {
      const { name, type } = variable
      if (name !== 'connectionMachine' || !(type instanceof ReferenceType)) continue
      for (const argument of type.typeArguments ?? []) project.removeTypeReflections(argument)
      type.typeArguments = undefined
    }
  })
}
