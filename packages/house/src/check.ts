/** Checks that every import of the workspace follows the plan of the house: node --import tsx packages/house/src/check.ts */

import { existsSync, readdirSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser'
import { exportsOf } from './exports.ts'
import { plan as ours, type PackagePlan } from './plan.ts'
import { rulesOf } from './rules.ts'

/** How many circles are shown, the shortest first. */
const SHOWN_CIRCLES = 20

/** Whether this process has checked before; the resolver then remembers the files of another root. */
let hasResolved = false

/** One broken rule: what it says, what to do, and the imports or files that break it. */
export interface Complaint {
  readonly rule: string
  readonly advice: string
  readonly places: readonly string[]
}

/** Gives what breaks the plan in the workspace at `root`; nothing, where it is followed. */
export async function check(root: string, plan: readonly PackagePlan[]): Promise<Complaint[]> {
  const missing: Complaint = {
    rule: 'What the plan names is there',
    advice: 'Take what is gone out of packages/house/src/plan.ts.',
    places: plan.flatMap(house => missingOf(root, house)),
  }
  if (missing.places.length > 0) return [missing]
  const homeless: Complaint = {
    rule: 'Every file is in a room',
    advice: 'Move it into a room, or name it in packages/house/src/plan.ts.',
    places: plan.flatMap(house => homelessOf(root, house)),
  }
  const houses = plan.map(house => ({ ...house, exports: exportsOf(join(root, 'packages', house.name)) }))
  const rules = rulesOf(houses)
  const folders = [
    ...houses.flatMap(({ name }) => [`packages/${name}/src`, `packages/${name}/test`]),
    'test',
    'examples',
  ].filter(folder => existsSync(join(root, folder)))
  const { output } = await cruise(
    folders,
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: rules },
      parser: 'tsc',
      tsPreCompilationDeps: true,
      doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    },
    {
      // A package is read where it is written, so that nothing need be built before.
      alias: houses.flatMap(({ name, exports }) =>
        exports.map(({ specifier, file }) => ({
          name: specifier,
          alias: join(root, 'packages', name, 'src', `${file}.ts`),
          onlyModule: true,
        })),
      ),
      exportsFields: ['exports'],
      conditionNames: ['import', 'default'],
      bustTheCache: hasResolved,
    },
  )
  hasResolved = true
  const { violations } = (output as ICruiseResult).summary
  const broken = rules.map(({ name = '', comment = '' }) => {
    const places = placesOf(violations.filter(({ rule }) => rule.name === name))
    return { rule: name, advice: comment, places }
  })
  return [homeless, ...broken].filter(({ places }) => places.length > 0)
}

function missingOf(root: string, { name, rooms = [], engines = [], ahead = [] }: PackagePlan): string[] {
  const source = join(root, 'packages', name, 'src')
  return ['/', ...rooms, ...engines.flat(), ...ahead]
    .filter(room => !existsSync(join(source, room.endsWith('/') ? room : `${room}.ts`)))
    .map(room => join('packages', name, 'src', room))
}

function homelessOf(root: string, { name, rooms }: PackagePlan): string[] {
  if (rooms === undefined) return []
  const source = `packages/${name}/src`
  return readdirSync(join(root, source), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(join(root, source), join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(file => !rooms.some(room => (room.endsWith('/') ? file.startsWith(room) : file === `${room}.ts`)))
    .map(file => `${source}/${file}`)
    .sort()
}

function placesOf(violations: readonly IViolation[]): string[] {
  const circles = new Map<string, readonly string[]>()
  const others: string[] = []
  for (const { type, from, to, cycle } of violations) {
    if (cycle !== undefined) {
      const files = cycle.map(({ name }) => name)
      circles.set([...files].sort().join(), files)
    } else {
      others.push(from === to || type === 'reachability' ? to : `${from} → ${to}`)
    }
  }
  const shortest = [...circles.values()].sort((a, b) => a.length - b.length)
  const shown = shortest.slice(0, SHOWN_CIRCLES).map(files => [...files, files[0]].join(' → '))
  if (shortest.length > shown.length) shown.push(`and ${shortest.length - shown.length} more circles`)
  return [...new Set(others.sort()), ...shown]
}

async function main(): Promise<void> {
  const root = resolve(fileURLToPath(import.meta.url), '../../../..')
  const complaints = await check(root, ours)
  for (const { rule, advice, places } of complaints) {
    console.error(`${rule}. ${advice}\n${places.map(place => `  ${place}\n`).join('')}`)
  }
  if (complaints.length > 0) process.exitCode = 1
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
