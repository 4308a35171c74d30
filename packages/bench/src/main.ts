/** Measures the rows that were chosen, and prints each as soon as it is there. CONTRIBUTING.md, section Measuring, has the options. */

import { cpus } from 'node:os'
import { benchmarks } from './benchmarks.ts'
import { choiceOf } from './choice.ts'
import { Printer } from './printer.ts'

const choice = choiceOf(process.argv.slice(2), benchmarks)
const printer = new Printer()
console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
for (const { name, measure } of benchmarks) {
  if (!choice.names.includes(name)) continue
  for await (const row of measure(choice)) printer.print(row)
}
