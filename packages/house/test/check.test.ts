import { deepEqual, equal } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { check } from '../src/check.ts'
import type { PackagePlan } from '../src/plan.ts'

const plan: readonly PackagePlan[] = [
  {
    name: 'house',
    rooms: ['index', 'attic/', 'cellar/', 'words'],
    engines: [['cellar/boiler', 'cellar/coal']],
  },
  { name: 'ground', isWithoutSockets: true },
]

const sound = {
  'packages/house/package.json': manifest('house', { '@holster/ground': '*' }, 'index'),
  'packages/house/src/index.ts':
    "export { roof } from './attic/roof.js'\nexport type * from './attic/roof.js'\n",
  'packages/house/src/attic/roof.ts':
    "import { earth } from '@holster/ground'\nimport { boiler } from '../cellar/boiler.js'\nexport const roof = [earth, boiler]\nexport type * from '../cellar/shelf.js'\n",
  'packages/house/src/cellar/boiler.ts':
    "import type { Coal } from './coal.js'\nexport const boiler: Coal = 'coal'\n",
  'packages/house/src/cellar/coal.ts': "export type Coal = 'coal'\n",
  'packages/house/src/cellar/shelf.ts': "export type { Word } from '../words.js'\n",
  'packages/house/src/words.ts': "export type Word = 'word'\n",
  'packages/house/test/roof.test.ts': "import '../src/index.ts'\n",
  'packages/ground/package.json': manifest('ground', {}, 'index', 'side'),
  'packages/ground/src/index.ts': "export const earth = 'earth'\n",
  'packages/ground/src/side.ts': "export { door } from './door.js'\n",
  'packages/ground/src/door.ts': "export const door = 'door'\n",
  'test/support/scene.ts': 'export const scene = 1\n',
}

function manifest(name: string, dependencies: Record<string, string>, ...files: string[]): string {
  return JSON.stringify({
    name: `@holster/${name}`,
    type: 'module',
    exports: Object.fromEntries(
      files.map(file => [file === 'index' ? '.' : `./${file}`, { default: `./dist/${file}.js` }]),
    ),
    dependencies,
  })
}

/** Says what is wrong with a sound house after these lines were added to its files. */
async function complaints(
  t: TestContext,
  added: Readonly<Record<string, string>>,
  followed = plan,
): Promise<string[]> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'house-')))
  t.after(() => rmSync(root, { recursive: true }))
  const files: Record<string, string> = { ...sound }
  for (const [path, text] of Object.entries(added))
    files[path] = path.endsWith('.json') ? text : `${files[path] ?? ''}${text}\n`
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const found = await check(root, followed)
  for (const { advice } of found) equal(advice.endsWith('.'), true)
  return found.flatMap(({ rule, places }) =>
    places.map(place => `${rule}: ${place.replaceAll('packages/', '')}`),
  )
}

test('nothing is wrong with a house that follows its plan', async t => {
  deepEqual(await complaints(t, {}), [])
})

test('a package that is for tests is imported by the tests of packages below it, and by nothing else of theirs', async t => {
  const [house, ground] = plan
  const followed = [
    { name: 'house', rooms: house?.rooms ?? [], isForTests: true },
    ...(ground ? [ground] : []),
  ]
  deepEqual(
    await complaints(
      t,
      {
        'packages/ground/test/door.test.ts': "import '../../house/src/index.ts'",
        'packages/ground/src/door.ts': "export type { Word } from '../../house/src/words.js'",
      },
      followed,
    ),
    ['ground imports packages for tests only in its tests: ground/src/door.ts → house/src/words.ts'],
  )
})

test('a circle is found though it is of types alone', async t => {
  deepEqual(
    await complaints(t, {
      'packages/house/src/cellar/coal.ts':
        "import type { boiler } from './boiler.js'\nexport type Fire = typeof boiler",
    }),
    [
      'No import runs in a circle, types included: house/src/cellar/coal.ts → house/src/cellar/boiler.ts → house/src/cellar/coal.ts',
    ],
  )
})

test('a circle is found though its type is imported where it is used', async t => {
  deepEqual(
    await complaints(t, {
      'packages/house/src/cellar/coal.ts': "export type Fire = typeof import('./boiler.js').boiler",
    }),
    [
      'No import runs in a circle, types included: house/src/cellar/coal.ts → house/src/cellar/boiler.ts → house/src/cellar/coal.ts',
    ],
  )
})

test('a room imports nothing from a room above it, and not what a package exports', async t => {
  deepEqual(
    await complaints(t, {
      'packages/house/src/cellar/pipe.ts': "export type { Slate } from '../attic/slate.js'",
      'packages/house/src/attic/slate.ts': "export type Slate = 'slate'",
      'packages/house/src/attic/roof.ts': "export type * from '../cellar/pipe.js'",
    }),
    ['house: cellar/ imports only rooms below it: house/src/cellar/pipe.ts → house/src/attic/slate.ts'],
  )
})

test('a file that is in no room is named, also one that nothing imports', async t => {
  deepEqual(
    await complaints(t, {
      'packages/house/src/loose.ts': "export type Loose = 'loose'",
      'packages/house/src/attic/roof.ts': "export type * from '../loose.js'",
      'packages/house/src/door.ts': '',
    }),
    [
      'Every file is in a room: house/src/door.ts',
      'Every file is in a room: house/src/loose.ts',
      'Every file of house is needed: house/src/door.ts',
    ],
  )
})

test('a file that only tests need is not needed', async t => {
  deepEqual(
    await complaints(t, {
      'packages/house/src/cellar/dust.ts': "export type { Word } from '../words.js'",
      'packages/house/test/roof.test.ts': "import '../src/cellar/dust.ts'",
    }),
    ['Every file of house is needed: house/src/cellar/dust.ts'],
  )
})

test('the file of a command is needed', async t => {
  const house = JSON.parse(manifest('house', { '@holster/ground': '*' }, 'index'))
  deepEqual(
    await complaints(t, {
      'packages/house/package.json': JSON.stringify({ ...house, bin: { house: './dist/cellar/dust.js' } }),
      'packages/house/src/cellar/dust.ts': "export type { Word } from '../words.js'",
    }),
    [],
  )
})

test('a package imports no package above it, no test, and no socket where it is without', async t => {
  deepEqual(
    await complaints(t, {
      'packages/ground/src/index.ts':
        "import type {} from '@holster/house'\nimport '../../../test/support/scene.js'\nimport 'node:net'",
    }),
    [
      'No import runs in a circle, types included: house/src/index.ts → house/src/attic/roof.ts → ground/src/index.ts → house/src/index.ts',
      'ground imports only packages below it: ground/src/index.ts → house/src/index.ts',
      'ground is whole without tests and examples: ground/src/index.ts → test/support/scene.ts',
      'ground knows nothing about sockets: ground/src/index.ts → net',
    ],
  )
})

test('an engine imports itself alone', async t => {
  deepEqual(
    await complaints(t, {
      'packages/house/src/cellar/coal.ts':
        "export type { Word } from '../words.js'\nexport type { Socket } from 'node:net'",
    }),
    [
      'house: the engine cellar/boiler, cellar/coal takes bytes and gives values: house/src/cellar/coal.ts → net',
      'house: the engine cellar/boiler, cellar/coal takes bytes and gives values: house/src/cellar/coal.ts → house/src/words.ts',
    ],
  )
})

test('a file may be ahead of the code that needs it, until that has come', async t => {
  const ahead = plan.map(house => (house.name === 'house' ? { ...house, ahead: ['cellar/wine'] } : house))
  const wine = { 'packages/house/src/cellar/wine.ts': 'export const wine = 1' }
  deepEqual(await complaints(t, wine, ahead), [])
  const cook = { ...wine, 'packages/house/src/attic/roof.ts': "export { wine } from '../cellar/wine.js'" }
  deepEqual(await complaints(t, cook, ahead), [
    'house: cellar/wine is ahead of what needs it: house/src/cellar/wine.ts',
  ])
})

test('an import that leads nowhere is not passed over', async t => {
  deepEqual(await complaints(t, { 'packages/house/src/words.ts': "import './sentences.js'" }), [
    'Every import leads to a file: house/src/words.ts → ./sentences.js',
  ])
})

test('a plan that names what is gone is not taken for one that is followed', async t => {
  deepEqual(await complaints(t, {}, [{ name: 'house', rooms: ['index', 'tower/'] }, { name: 'garden' }]), [
    'What the plan names is there: house/src/tower/',
    'What the plan names is there: garden/src/',
  ])
})
