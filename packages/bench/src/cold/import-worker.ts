/** Imports packages in a fresh process, and answers with the time that took. */

import type { ImportCost } from './contract.ts'

const specifiers = process.argv.slice(2)
const cpu = process.cpuUsage()
const start = performance.now()
for (const specifier of specifiers) await import(specifier)
const milliseconds = performance.now() - start
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ milliseconds, cpuMilliseconds: (user + system) / 1000 } satisfies ImportCost))
