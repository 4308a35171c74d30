/** The files of the page, which hold nothing of the program. */

import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

/** A file of the page. */
export interface Asset {
  readonly type: string
  readonly bytes: Buffer
}

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** The folder: beside the bundled file, or where the build has put it if this file runs as a source. */
const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../../dist/page/' : './page/', import.meta.url)

let files: Promise<ReadonlyMap<string, Asset>> | undefined

/** Finds a file of the page by its path; `undefined`: there is none. Rejects with an Error that says what to do if there is no page. */
export async function findAsset(path: string): Promise<Asset | undefined> {
  files ??= readAll()
  return (await files).get(path === '/' ? '/index.html' : path)
}

async function readAll(): Promise<ReadonlyMap<string, Asset>> {
  const names = await readdir(FOLDER).catch((cause: unknown) => {
    throw new Error(
      'the files of the page are not beside @holster/observer: keep the package out of bundles',
      { cause },
    )
  })
  const assets = names
    .filter(name => extname(name) in TYPES)
    .map(async name => {
      const asset = { type: TYPES[extname(name)] as string, bytes: await readFile(new URL(name, FOLDER)) }
      return [`/${name}`, asset] as const
    })
  return new Map(await Promise.all(assets))
}
