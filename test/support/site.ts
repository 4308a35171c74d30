/** The site as it is built, served on loopback as a host of static pages would: `/guide/http` is the file `guide/http.html`. */

import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closer, listen } from '@holster/testing/internal'

const folder = fileURLToPath(new URL('../../build/docs/', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** Gives the file that a path of the site shows. */
export function fileOf(path: string): string {
  const { pathname } = new URL(path, 'http://localhost')
  if (extname(pathname) !== '') return pathname.slice(1)
  return pathname.endsWith('/') ? `${pathname.slice(1)}index.html` : `${pathname.slice(1)}.html`
}

/** Lists the pages of the site, as paths of files. */
export const pagesOfSite = (): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.html'))
    .map(name => relative(folder, join(folder, name)).split(sep).join('/'))

/** Reads one of these files. */
export const readPage = (file: string): Promise<string> => readFile(join(folder, file), 'utf8')

export interface Site extends AsyncDisposable {
  readonly url: string
}

/** Serves the site. */
export async function serveSite(): Promise<Site> {
  const server = createServer(async (request, response) => {
    const file = fileOf(request.url ?? '/')
    try {
      const bytes = await readFile(join(folder, file))
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
      response.end(bytes)
    } catch {
      response.writeHead(404)
      response.end()
    }
  })
  const close = closer(server, () => server.closeAllConnections())
  const { host, port } = await listen(server, 'tcp')
  return { url: `http://${host}:${port}/`, [Symbol.asyncDispose]: close }
}
