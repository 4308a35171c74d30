/**
 * Starts an observer without a change to the program: `node --import @holster/observer/start app.js`. The environment has its options:
 * `HOLSTER_OBSERVER_PORT` (4010 by default, and any free port where that is taken), `HOLSTER_OBSERVER_HOST`, `HOLSTER_OBSERVER_TOKEN`,
 * `HOLSTER_OBSERVER_ALLOWED_HOSTS` with commas, `HOLSTER_OBSERVER_ACTIONS=1` and `HOLSTER_OBSERVER_SPAWNS=1`.
 * @module
 */

import { isMainThread } from 'node:worker_threads'
import { startObserver } from './observer.js'
import type { ObserverOptions } from './options.js'

const PORT = 4010
const PREFIX = 'HOLSTER_OBSERVER_'
const NAMES = ['PORT', 'HOST', 'TOKEN', 'ALLOWED_HOSTS', 'ACTIONS', 'SPAWNS']

/** Reads the environment. Throws an Error that names the variable which is wrong. */
function optionsOf(environment: NodeJS.ProcessEnv): ObserverOptions {
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith(PREFIX) || NAMES.includes(variable.slice(PREFIX.length))) continue
    throw new Error(
      `${variable} is no variable of the observer: there are ${NAMES.map(name => PREFIX + name).join(', ')}`,
    )
  }
  const variable = (name: string) => environment[PREFIX + name] || undefined
  const host = variable('HOST')
  const token = variable('TOKEN')
  return {
    port: portOf(variable('PORT')),
    ...(host !== undefined && { host }),
    ...(token !== undefined && { token: token === 'true' ? true : token }),
    allowedHosts: variable('ALLOWED_HOSTS')?.split(',') ?? [],
    allowActions: isOn('ACTIONS', variable('ACTIONS')),
    recordSpawns: isOn('SPAWNS', variable('SPAWNS')),
  }
}

function portOf(text: string | undefined): number {
  if (text === undefined) return PORT
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new Error(`${PREFIX}PORT must be a whole number from 0 to 65535, not '${text}'`)
}

function isOn(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  throw new Error(`${PREFIX}${name} must be 1 or 0, not '${text}'`)
}

// A thread imports what its program does; the observer of the program looks into it.
if (isMainThread) {
  const options = optionsOf(process.env)
  try {
    await startObserver(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    // Another program of the same environment has it, such as a child.
    await startObserver({
      ...options,
      port: 0,
      log: line => console.error(`${line} (port ${options.port} is taken; this is pid ${process.pid})`),
    })
  }
}
