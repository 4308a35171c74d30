/** The version of this package, as its package.json says. */

import { readFileSync } from 'node:fs'

let version: string | undefined

/** Gives the version. All files of the package are bundled into one folder, which lies beside package.json. */
export function versionOfPackage(): string {
  version ??= (
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version
  return version
}
