/**
 * A REST service in front of a backend that refuses, resets, hangs, and takes uploads slowly.
 * Requests go through a pool, are repeated only where that is safe, and have one deadline that the backend is told; bodies of any size
 * stream through with back-pressure both ways. Errors become statuses, and whatever is under way when the service stops is finished.
 *
 *   npx tsx examples/rest-service/main.ts             asks the service for whatever may go wrong, and stops it
 *   npx tsx examples/rest-service/main.ts --forever   serves until SIGTERM or Ctrl+C
 */

import { parseArgs } from 'node:util'
import { application, type ChildSpec } from '@holster/otp'
import { startBackend } from './server.ts'
import { tree } from './tree.ts'
import { visitor } from './visitor.ts'

const { values } = parseArgs({ options: { forever: { type: 'boolean', default: false } } })

await using backend = await startBackend()
const visit: ChildSpec = {
  id: 'visitor',
  start: parent => parent.spawnLink(visitor(backend)),
  restart: 'transient',
  significant: true,
}
await application.run(tree({ port: backend.port, children: values.forever ? [] : [visit] }), {
  log: console.log,
  // The backend ends behind the tree, and the program with it.
  exit: code => {
    process.exitCode = code
  },
})
console.log(`the backend has heard ${backend.heard.length} requests`)
