/** TypeDoc reads the sources; everything else of the generator works on what it has read. */

import { fileURLToPath } from 'node:url'
import {
  Application,
  PackageJsonReader,
  type ProjectReflection,
  TSConfigReader,
  TypeDocReader,
} from 'typedoc'

const settings = fileURLToPath(new URL('../typedoc.json', import.meta.url))

/** Reads all packages. Rejects if a public name has no comment, a link is broken, or a type that is documented is not exported. */
export async function readProject(): Promise<ProjectReflection> {
  const app = await Application.bootstrapWithPlugins({ options: settings, logLevel: 'Warn' }, [
    new TypeDocReader(),
    new PackageJsonReader(),
    new TSConfigReader(),
  ])
  const project = await app.convert()
  if (project !== undefined) app.validate(project)
  if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error('the comments of the API have faults; each is named above')
  }
  return project
}
