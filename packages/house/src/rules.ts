/** Derives the rules of dependency-cruiser from the plan of the house; a rule's comment says what to do about a breach. */

import type { IForbiddenRuleType, IRegularForbiddenRuleType } from 'dependency-cruiser'
import type { Export } from './exports.ts'
import type { PackagePlan } from './plan.ts'

/** A package of the plan, with the files that it exports. */
export interface House extends PackagePlan {
  readonly exports: readonly Export[]
}

const SOCKETS = '^(net|tls|http|https|http2|dgram|dns|cluster)(/|$)'
const TESTS = '^(test|examples|packages/[^/]+/test)/'

export function rulesOf(plan: readonly House[]): IForbiddenRuleType[] {
  return [
    circles(),
    resolution(),
    ...plan.flatMap((house, index) => order(house, plan.slice(0, index))),
    ...plan.filter(({ isPrivate }) => isPrivate !== true).flatMap(wholeness),
    ...plan.filter(({ isWithoutSockets }) => isWithoutSockets).map(withoutSockets),
    ...plan.flatMap(usage),
    ...plan.flatMap(rooms),
    ...plan.flatMap(engines),
  ]
}

function circles(): IForbiddenRuleType {
  return rule(
    'No import runs in a circle, types included',
    'Move what both sides need into a room below both, or hand it in from above.',
    {},
    { circular: true },
  )
}

function resolution(): IForbiddenRuleType {
  return rule(
    'Every import leads to a file',
    'Correct the path: nothing else can be said of an import that leads nowhere.',
    { path: '^packages/[^/]+/src/' },
    { path: '^[.]|^@holster/', couldNotResolve: true },
  )
}

function order({ name }: House, above: readonly House[]): IForbiddenRuleType[] {
  const comment = `Above it are: ${above.map(house => house.name).join(', ')}. Move the code up, or what it needs down.`
  const path = `^packages/${name}/`
  const folders = (houses: readonly House[]) => houses.map(house => `^packages/${house.name}/`)
  const forTests = folders(above.filter(({ isForTests }) => isForTests))
  const others = folders(above.filter(({ isForTests }) => !isForTests))
  const rules: IForbiddenRuleType[] = []
  // No path at all would mean every path.
  if (others.length > 0) {
    rules.push(rule(`${name} imports only packages below it`, comment, { path }, { path: others }))
  }
  if (forTests.length > 0) {
    const title = `${name} imports packages for tests only in its tests`
    rules.push(rule(title, comment, { path, pathNot: TESTS }, { path: forTests }))
  }
  return rules
}

function wholeness(house: House): IForbiddenRuleType[] {
  return [
    rule(
      `${house.name} is whole without tests and examples`,
      'Move what the source needs into src.',
      { path: sourceOf(house) },
      { path: TESTS },
    ),
    rule(
      `${house.name} imports only libraries that it depends on`,
      'Name the library in the dependencies of package.json: whoever installs the package gets no others.',
      { path: sourceOf(house) },
      // A peer is a dev dependency as well, for the tests of the package.
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    ),
  ]
}

function withoutSockets(house: House): IForbiddenRuleType {
  return rule(
    `${house.name} knows nothing about sockets`,
    'Put what needs a socket into a package above it.',
    { path: sourceOf(house) },
    { path: SOCKETS },
  )
}

/** Takes a file for needed if an export leads to it: a file that only tests import is not, nor is what it imports. */
function usage(house: House): IForbiddenRuleType[] {
  if (house.exports.length === 0) return []
  const ahead = house.ahead ?? []
  const needed: IForbiddenRuleType[] = ahead.map(file => ({
    name: `${house.name}: ${file} is ahead of what needs it`,
    comment: 'Take it out of `ahead` in packages/house/src/plan.ts: it is needed by now.',
    severity: 'error',
    from: { path: entriesOf(house) },
    to: { path: pathsOf(house, [file]), reachable: true },
  }))
  return [
    ...needed,
    {
      name: `Every file of ${house.name} is needed`,
      comment: 'Import it, or delete it: nothing that package.json exports leads to it.',
      severity: 'error',
      from: { path: entriesOf(house) },
      to: {
        path: sourceOf(house),
        pathNot: [...entriesOf(house), ...pathsOf(house, ahead), '[.]d[.]m?ts$'],
        reachable: false,
      },
    },
  ]
}

function rooms(house: House): IForbiddenRuleType[] {
  const { name, rooms: names = [] } = house
  return names
    .slice(1)
    .map((room, index) =>
      rule(
        `${name}: ${room} imports only rooms below it`,
        'Move what both rooms need into a room below both, or hand it in from above.',
        { path: pathsOf(house, [room]) },
        { path: pathsOf(house, names.slice(0, index + 1)) },
      ),
    )
}

function engines(house: House): IForbiddenRuleType[] {
  return (house.engines ?? []).map(engine => {
    const own = pathsOf(house, engine)
    return rule(
      `${house.name}: the engine ${engine.join(', ')} takes bytes and gives values`,
      'It imports itself alone and no socket: hand in what it needs, and let its caller act on what it gives.',
      { path: own },
      { path: ['^packages/', SOCKETS], pathNot: own },
    )
  })
}

function rule(
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): IRegularForbiddenRuleType {
  return { name, comment, severity: 'error', from, to }
}

function sourceOf({ name }: PackagePlan): string {
  return `^packages/${name}/src/`
}

function entriesOf(house: House): string[] {
  return pathsOf(
    house,
    house.exports.map(({ file }) => file),
  )
}

/** The patterns of the files in the rooms of these names. */
function pathsOf(house: House, names: readonly string[]): string[] {
  const source = sourceOf(house)
  return names.map(name => (name.endsWith('/') ? source + name : `${source}${name}[.](d[.])?m?ts$`))
}
