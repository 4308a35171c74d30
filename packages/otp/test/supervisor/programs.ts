/** Random programs of supervisors, which run here and on OTP alike. */

import fc from 'fast-check'
import type { AutoShutdown, Restart, Strategy } from '../../src/index.ts'

export interface WorkerSpec {
  readonly type: 'worker'
  readonly id: string
  readonly restart: Restart
  readonly shutdown: number | 'brutal_kill' | 'infinity'
  readonly significant: boolean
  /** How the worker takes the order to end: it ends, normally, or for a reason of its own, or not at all. */
  readonly manner: 'plain' | 'normal' | 'bad' | 'stubborn'
  /** How its starts go; later ones succeed. */
  readonly outcomes: readonly ('ok' | 'error' | 'ignore')[]
  /** Whether its start takes a turn of the event loop here; on the BEAM a start blocks. */
  readonly isAsync: boolean
}

export interface SupervisorSpec {
  readonly type: 'supervisor'
  readonly id: string
  readonly restart: Restart
  readonly shutdown: number | 'infinity'
  readonly significant: boolean
  readonly strategy: Strategy
  readonly intensity: number
  readonly autoShutdown: AutoShutdown
  /** The children; those of a `simple_one_for_one` are the one template of its dynamic children. */
  readonly children: readonly NodeSpec[]
}

export type NodeSpec = WorkerSpec | SupervisorSpec

export type Reason = 'normal' | 'shutdown' | 'boom' | 'kill' | readonly ['shutdown', 'why']

export type Step =
  | readonly ['crash', id: string, reason: Reason]
  | readonly ['crash_all', supervisor: string, ids: readonly string[], reason: Reason]
  | readonly ['unlink', id: string]
  | readonly ['start_child', supervisor: string, spec: NodeSpec]
  | readonly ['start_dynamic', supervisor: string, id: string]
  | readonly [
      'terminate_child' | 'terminate_dynamic' | 'restart_child' | 'delete_child',
      supervisor: string,
      id: string,
    ]
  | readonly ['which_children' | 'count_children', supervisor: string]

export interface Program {
  readonly root: SupervisorSpec
  readonly steps: readonly Step[]
}

/** Draws a value. */
type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T

const restarts = fc.constantFrom<Restart>('permanent', 'transient', 'temporary')
const outcomes = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom('ok', 'ok', 'error', 'ignore'), { maxLength: 4 }),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom('ok', 'error'), { maxLength: 5 }).map(rest => ['ok', ...rest]),
  },
) as fc.Arbitrary<WorkerSpec['outcomes']>
const reasons = fc.constantFrom<Reason>('boom', 'boom', 'normal', 'shutdown', 'kill', ['shutdown', 'why'])

/** Makes the specs of one program, whose ids differ. */
class Drawer {
  readonly supervisors: SupervisorSpec[] = []
  readonly workers: string[] = []
  readonly #draw: Draw
  #last = 0

  constructor(draw: Draw) {
    this.#draw = draw
  }

  worker(autoShutdown: AutoShutdown, id = `w${++this.#last}`): WorkerSpec {
    const restart = this.#draw(restarts)
    const manner = this.#draw(fc.constantFrom('plain', 'plain', 'normal', 'bad', 'stubborn'))
    const shutdown =
      manner === 'stubborn'
        ? this.#draw(fc.constantFrom<WorkerSpec['shutdown']>(1, 'brutal_kill'))
        : this.#draw(fc.constantFrom<WorkerSpec['shutdown']>(5000, 'infinity', 'brutal_kill'))
    this.workers.push(id)
    return {
      type: 'worker',
      id,
      restart,
      shutdown,
      significant: this.#significant(restart, autoShutdown),
      manner,
      outcomes: this.#draw(outcomes),
      isAsync: this.#draw(fc.boolean()),
    }
  }

  supervisor(above: AutoShutdown, depth: number, id = `s${++this.#last}`): SupervisorSpec {
    const strategy = this.#draw(
      fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'),
    )
    const autoShutdown = this.#draw(
      fc.constantFrom<AutoShutdown>('never', 'never', 'any_significant', 'all_significant'),
    )
    const restart = this.#draw(restarts)
    const children =
      strategy === 'simple_one_for_one'
        ? [this.#template(autoShutdown)]
        : Array.from({ length: this.#draw(fc.nat(4)) }, () => this.child(autoShutdown, depth))
    const spec: SupervisorSpec = {
      type: 'supervisor',
      id,
      restart,
      shutdown: this.#draw(fc.constantFrom<SupervisorSpec['shutdown']>(5000, 'infinity')),
      significant: this.#significant(restart, above),
      strategy,
      intensity: this.#draw(fc.nat(5)),
      autoShutdown,
      children,
    }
    this.supervisors.push(spec)
    return spec
  }

  child(autoShutdown: AutoShutdown, depth: number): NodeSpec {
    const isWorker = depth === 0 || this.#draw(fc.nat(3)) > 0
    return isWorker ? this.worker(autoShutdown) : this.supervisor(autoShutdown, depth - 1)
  }

  step(): Step {
    const draw = this.#draw
    const supervisor = draw(fc.constantFrom(...this.supervisors))
    const isDynamic = supervisor.strategy === 'simple_one_for_one'
    // An id is never that of children of two supervisors, since a step stops only one of them.
    const dynamic = `${supervisor.id}d${draw(fc.nat(3))}`
    const anywhere = draw(fc.constantFrom(...this.workers, dynamic, 'nobody'))
    const here = supervisor.children.map(({ id }) => id)
    const child = draw(fc.constantFrom(...here, ...here, anywhere))
    const workersHere = supervisor.children.filter(({ type }) => type === 'worker').map(({ id }) => id)
    const way = draw(fc.nat(13))
    if (way <= 3) return ['crash', isDynamic ? dynamic : anywhere, draw(reasons)]
    if (way === 4) {
      const ids = isDynamic ? [0, 1, 2].map(n => `${supervisor.id}d${n}`) : workersHere
      return ['crash_all', supervisor.id, draw(fc.shuffledSubarray(ids)), draw(reasons)]
    }
    if (way === 5) return ['unlink', isDynamic ? dynamic : anywhere]
    if (way <= 8) {
      if (isDynamic) return ['start_dynamic', supervisor.id, dynamic]
      const isNew = draw(fc.boolean())
      if (isNew) return ['start_child', supervisor.id, this.child(supervisor.autoShutdown, 1)]
      const taken = draw(fc.constantFrom(...here, `w${++this.#last}`))
      const present = this.supervisors.find(({ id }) => id === taken)
      return ['start_child', supervisor.id, present ?? this.worker('any_significant', taken)]
    }
    if (way === 9)
      return [isDynamic ? 'terminate_dynamic' : 'terminate_child', supervisor.id, isDynamic ? dynamic : child]
    if (way === 10) return ['terminate_child', supervisor.id, child]
    if (way === 11) return ['restart_child', supervisor.id, child]
    if (way === 12) return ['delete_child', supervisor.id, child]
    return [draw(fc.constantFrom('which_children', 'count_children')), supervisor.id]
  }

  /**
   * Draws the template of dynamic children. A restart of one that gives `ignore` leaves OTP 25 with a child that it can neither
   * end nor show.
   */
  #template(autoShutdown: AutoShutdown): WorkerSpec {
    const worker = this.worker(autoShutdown)
    return {
      ...worker,
      outcomes: worker.outcomes.filter((outcome, index) => index === 0 || outcome !== 'ignore'),
    }
  }

  #significant(restart: Restart, autoShutdown: AutoShutdown): boolean {
    return restart !== 'permanent' && autoShutdown !== 'never' && this.#draw(fc.boolean())
  }
}

/** Any program. */
export const programs: fc.Arbitrary<Program> = fc.gen().map(gen => {
  const drawer = new Drawer(arbitrary => gen(() => arbitrary))
  const root = drawer.supervisor('never', 2, 'root')
  const steps = Array.from({ length: gen(fc.nat, { max: 14 }) }, () => drawer.step())
  return { root, steps }
})

/** Writes a value as an Erlang term. */
function term(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(term).join(',')}}`
  return String(value)
}

function list(values: readonly unknown[]): string {
  return `[${values.join(',')}]`
}

function specTerm(spec: NodeSpec): string {
  const { type, id, restart, shutdown, significant } = spec
  const common = `${type},${id},${restart},${shutdown},${significant}`
  if (spec.type === 'worker') return `{${common},${spec.manner},${list(spec.outcomes)}}`
  const { strategy, intensity, autoShutdown, children } = spec
  return `{${common},{${strategy},${intensity},${autoShutdown},${list(children.map(specTerm))}}}`
}

function stepTerm(step: Step): string {
  if (step[0] === 'crash_all') return `{crash_all,${step[1]},${list(step[2])},${term(step[3])}}`
  if (step[0] === 'start_child') return `{start_child,${step[1]},${specTerm(step[2])}}`
  return term(step)
}

/** Writes a program as one Erlang term in one line. */
export function toErlang({ root, steps }: Program): string {
  return `{${specTerm(root)},${list(steps.map(stepTerm))}}.`
}
