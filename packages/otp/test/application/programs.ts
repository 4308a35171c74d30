/**
 * A program that the tests run and send signals: node programs.ts <name>. The program prints a line for each thing that happens.
 */

import { createProcess, type Process, spawn } from '@holster/process'
import { application, type ChildSpec } from '../../src/index.ts'

const [, , name] = process.argv

/** Gives the spec of a child that says when it begins and ends; one with `isStuck` never ends. */
function child(id: string, { isStuck = false, shutdown = 60_000 } = {}): ChildSpec {
  return {
    id,
    shutdown,
    start: parent =>
      parent.spawnLink(
        async (self: Process<never>) => {
          console.log(`${id} begins`)
          await self.receive([{ type: 'EXIT' }])
          if (isStuck) await new Promise(() => undefined)
          console.log(`${id} ends`)
        },
        { trapExit: true },
      ),
  }
}

const crashing: ChildSpec = {
  id: 'crashing',
  start: parent =>
    parent.spawnLink<{ type: 'job'; password: string }>(
      async self => {
        self.label = 'a worker'
        self.send({ type: 'job', password: 'hunter2' })
        await null
        throw new Error('broken', { cause: new Error('because') })
      },
      { name: 'worker' },
    ),
}

const programs: Record<string, () => Promise<unknown>> = {
  orderly: () => application.run({ children: [child('first'), child('second')] }),
  slow: () =>
    application.run(
      { children: [child('stuck', { isStuck: true, shutdown: Number.POSITIVE_INFINITY })] },
      { shutdownTimeout: 50 },
    ),
  stuck: () =>
    application.run({
      children: [child('stuck', { isStuck: true, shutdown: Number.POSITIVE_INFINITY })],
    }),
  crashing: () => application.run({ children: [crashing], intensity: 1 }),
  failing: () =>
    application.run({
      children: [
        child('first'),
        {
          id: 'failing',
          start: () => {
            throw new Error('cannot start')
          },
        },
      ],
    }),
  starting: () =>
    application.run({
      children: [
        {
          id: 'starting',
          start: async parent => {
            console.log('starting begins')
            await new Promise(() => undefined)
            return parent.spawnLink(() => undefined)
          },
        },
      ],
    }),
  significant: () =>
    application.run({
      autoShutdown: 'any_significant',
      children: [
        child('first'),
        {
          id: 'job',
          restart: 'transient',
          significant: true,
          start: parent => parent.spawnLink(() => console.log('done')),
        },
      ],
    }),
  alone: () => {
    spawn(async () => {
      throw new Error('on its own')
    })
    createProcess()
    return application.run({ children: [child('first')] })
  },
}

await programs[name ?? '']?.()
