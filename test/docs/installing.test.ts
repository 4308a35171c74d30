/** The published packages install with each package manager, load as ESM and as CommonJS, and bundle into one file. */

import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import commonjsPlugin from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import webpack from 'webpack'
import { packagesOf } from '../../packages/release/src/workspace.ts'
import { compile } from '../support/compiler.ts'
import { piecesOfPages } from '../support/pieces.ts'
import { run, succeed } from '../support/program.ts'
import { websocketServer } from '../support/websocket-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = join(root, 'test/support/installed')
const published = packagesOf(root)
const PACKAGES = published.map(({ folder }) => folder)

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holster-install-'))
})
after(() => rm(folder, { recursive: true }))

/** Runs a program that talks to a server of `ws`, and checks that it said what it should. */
async function talks(file: string, cwd: string): Promise<void> {
  await using server = await websocketServer({ ws: { perMessageDeflate: true } })
  const { code, stdout, stderr } = await run(process.execPath, [file, String(server.port)], { cwd })
  assert.equal(stderr, '')
  assert.equal(stdout, 'actor logic: function\nstatus: 200\ncompressed: true\nechoed: 7000\n')
  assert.equal(code, 0)
}

/** Packs both packages as `npm publish` does, once. */
let packed: Promise<void> | undefined
function pack(): Promise<void> {
  packed ??= (async () => {
    for (const name of PACKAGES) {
      await succeed('npm', ['pack', '--silent', '--pack-destination', folder], {
        cwd: join(root, 'packages', name),
      })
    }
  })()
  return packed
}

function tarball(name: string): string {
  const version = published.find(each => each.folder === name)?.manifest.version
  return join(folder, `holster-${name}-${version}.tgz`)
}

/** Dependencies come from a registry. */
let reachable: Promise<boolean> | undefined
function hasRegistry(): Promise<boolean> {
  reachable ??= run('npm', ['view', 'ws', 'version', '--fetch-retries=0']).then(({ code }) => code === 0)
  return reachable
}

for (const name of PACKAGES) {
  test(`the tarball of ${name} holds what is needed and nothing else`, async () => {
    await pack()
    const files = (await succeed('tar', ['-tzf', tarball(name)])).trim().split('\n')
    for (const file of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']) {
      assert.ok(files.includes(`package/${file}`), `${file} is missing`)
    }
    const others = files.filter(
      file => !/^package\/((dist|src)\/.*\.(ts|mts|js|map)|dist\/page\/.*)$/.test(file),
    )
    assert.deepEqual(others.sort(), ['package/LICENSE', 'package/README.md', 'package/package.json'])
  })

  test(`the dependencies of ${name} are ranges that every package manager understands`, async () => {
    await pack()
    const manifest = JSON.parse(await succeed('tar', ['-xzOf', tarball(name), 'package/package.json']))
    for (const [dependency, range] of Object.entries(manifest.dependencies)) {
      assert.match(String(range), /^\^\d+\.\d+\.\d+$/, `${dependency}: ${range}`)
    }
  })
}

/** Its types are those of its CommonJS build, whose function is one level deeper. */
const commonjs = commonjsPlugin as unknown as typeof commonjsPlugin.default

interface Manager {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Files of the project, by their names, beside its package.json. */
  readonly files?: Readonly<Record<string, string>>
}

const managers: readonly Manager[] = [
  { name: 'npm', command: 'npm', args: ['install', '--no-audit', '--no-fund', '--prefer-offline'] },
  { name: 'pnpm', command: 'npx', args: ['--yes', 'pnpm@10', 'install', '--prefer-offline'] },
  {
    name: 'yarn 1',
    command: 'npx',
    args: ['--yes', 'yarn@1', 'install'],
    // Its usual cache knows a tarball by name and version, so it would install what was packed the first time.
    env: { YARN_CACHE_FOLDER: '.cache' },
  },
  {
    name: 'yarn 4',
    command: 'npx',
    args: ['--yes', '-p', '@yarnpkg/cli-dist@4', 'yarn', 'install'],
    env: { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
]

for (const { name, command, args, env = {}, files = {} } of managers) {
  test(`installs with ${name}, and loads as ESM and as CommonJS`, async t => {
    if (!(await hasRegistry())) return t.skip('the registry of packages cannot be reached')
    await pack()
    const project = await mkdtemp(join(folder, 'project-'))
    const ours = {
      '@holster/process': `file:${tarball('process')}`,
      '@holster/otp': `file:${tarball('otp')}`,
    }
    const manifest = {
      private: true,
      dependencies: { '@holster/gun': `file:${tarball('gun')}`, ...ours },
      // The gun package asks for versions of the others that the registry may not have.
      resolutions: ours,
    }
    await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
    for (const [file, text] of Object.entries(files)) await writeFile(join(project, file), text)
    const registry = (await succeed('npm', ['config', 'get', 'registry'])).trim()
    await succeed(command, args, { cwd: project, env: { YARN_NPM_REGISTRY_SERVER: registry, ...env } })
    await cp(programs, project, { recursive: true })
    await talks('main.mjs', project)
    await talks('main.cjs', project)
  })
}

test("the README's command installs all packages", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [command = ''] = readme.match(/^npm install .*$/m) ?? []
  for (const name of PACKAGES) assert.match(command, new RegExp(`holster-${name}-`))
})

/** Packages that pieces of code import, and that are not ours; those of test runners are left out. */
const LIBRARIES = [
  '@types/node@20',
  '@types/ws',
  'ws',
  'xstate',
  'tough-cookie',
  '@nats-io/transport-node',
  '@opentelemetry/api',
]

test('the code of the pages compiles against the packages as they are published', async t => {
  if (!(await hasRegistry())) return t.skip('the registry of packages cannot be reached')
  await pack()
  const project = await mkdtemp(join(folder, 'pages-'))
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const args = [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    ...PACKAGES.map(tarball),
    ...LIBRARIES,
  ]
  await succeed('npm', args, { cwd: project })
  const isSelfContained = ([, code]: readonly [string, string]) =>
    [...code.matchAll(/ from '([^']+)'|^import '([^']+)'/gm)].every(
      ([, from, bare]) =>
        /^(node:|@holster\/)/.test(from ?? bare ?? '') ||
        LIBRARIES.some(name => name.split('@20')[0] === (from ?? bare)),
    )
  const pieces = Object.entries(await piecesOfPages()).filter(isSelfContained)
  assert.ok(pieces.length > 100, `${pieces.length} are not all`)
  assert.deepEqual(await compile(Object.fromEntries(pieces), project), [])
})

test('the observer runs as it is installed: by a flag, with its page, and in the terminal', async t => {
  if (!(await hasRegistry())) return t.skip('the registry of packages cannot be reached')
  await pack()
  const project = await mkdtemp(join(folder, 'observed-'))
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...PACKAGES.map(tarball)], {
    cwd: project,
  })
  const look = `
    import { execFile } from 'node:child_process'
    import { promisify } from 'node:util'
    import { startObserver } from '@holster/observer'
    const { url } = await startObserver({ log: false })
    console.log((await fetch(url)).status, (await fetch(new URL('app.js', url))).status)
    const { stdout } = await promisify(execFile)('npx', ['holster-observer', '--once', url])
    console.log(stdout)
  `
  await writeFile(join(project, 'look.js'), look)
  const env = { HOLSTER_OBSERVER_PORT: '0' }
  const { code, stdout, stderr } = await run(
    process.execPath,
    ['--import', '@holster/observer/start', 'look.js'],
    { cwd: project, env },
  )
  assert.match(stderr, /^Holster observer: http:.*\n$/)
  assert.match(stdout, /^200 200\n/)
  assert.match(stdout, /#Process<\d+>/)
  assert.equal(code, 0)
})

test('the process package alone needs no xstate, to run or for its types', async t => {
  if (!(await hasRegistry())) return t.skip('the registry of packages cannot be reached')
  await pack()
  const project = await mkdtemp(join(folder, 'project-'))
  const manifest = {
    private: true,
    type: 'module',
    dependencies: { '@holster/process': `file:${tarball('process')}` },
  }
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: project })
  assert.deepEqual((await readdir(join(project, 'node_modules'))).includes('xstate'), false)
  const program = `import { createProcess } from '@holster/process'
import '@holster/process/internal'
const self = createProcess<'hello'>()
const id: string = self.id
self.exit()
console.log(id === self.id, await self.exited)
`
  await writeFile(join(project, 'main.ts'), program)
  const libraries = 'es2023,esnext.disposable,dom'
  const args = ['--module', 'nodenext', '--target', 'es2023', '--lib', libraries, '--strict', 'main.ts']
  const checked = await run(join(root, 'node_modules/.bin/tsc'), args, { cwd: project })
  assert.equal(checked.stdout, '')
  assert.equal(await succeed(process.execPath, ['main.js'], { cwd: project }), 'true normal\n')
  // Only the types of this entry are those of xstate.
  await succeed(process.execPath, ['--import', '@holster/process/xstate', '--eval', ''], { cwd: project })
})

describe('bundled into one file that runs where there is no node_modules', () => {
  const entry = join(programs, 'main.mjs')

  const bundlers: Record<string, (outfile: string) => Promise<unknown>> = {
    'esbuild, as CommonJS': outfile =>
      build({
        entryPoints: [join(programs, 'main.cjs')],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'cjs',
      }),
    'esbuild, as ESM': outfile =>
      build({
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'esm',
        minify: true,
      }),
    rollup: async file => {
      const bundle = await rollup({
        input: entry,
        plugins: [nodeResolve({ preferBuiltins: true }), commonjs()],
        onwarn: warning => assert.equal(warning.code, 'CIRCULAR_DEPENDENCY', warning.message),
      })
      await bundle.write({ file, format: 'es', inlineDynamicImports: true })
      await bundle.close()
    },
    webpack: outfile =>
      new Promise<void>((resolve, reject) => {
        webpack(
          {
            entry,
            target: 'node20',
            mode: 'production',
            optimization: { minimize: false },
            output: { path: join(outfile, '..'), filename: outfile.split('/').at(-1) ?? '' },
          },
          (error, stats) => {
            if (error !== null) return reject(error)
            if (stats?.hasErrors()) return reject(new Error(stats.toString('errors-only')))
            resolve()
          },
        )
      }),
  }

  for (const [name, bundle] of Object.entries(bundlers)) {
    test(name, async () => {
      const place = await mkdtemp(join(folder, 'bundle-'))
      const file = name.includes('ESM') || name === 'rollup' ? 'bundle.mjs' : 'bundle.cjs'
      await bundle(join(place, file))
      assert.deepEqual(await readdir(place), [file])
      await talks(file, place)
    })
  }
})
