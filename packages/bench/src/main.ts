/**
 * Measures what was chosen, prints it row by row, records it if that is wished, and compares it with the targets.
 * CONTRIBUTING.md, section Measuring, has the options.
 */

import { benchmarks } from './benchmarks.ts'
import { type Choice, choiceOf } from './choice.ts'
import { machine } from './conditions.ts'
import { writePage } from './page.ts'
import { Printer } from './printer.ts'
import { type Results, readResults, resultOf, withResult, writeResults } from './results.ts'
import { isMissed, ratioOf, targets } from './targets.ts'

/** Gives the rows that were measured; where they are recorded, each of them is as soon as it is there. */
async function measure(choice: Choice): Promise<Results> {
  const printer = new Printer()
  let measured: Results = {}
  console.log(`Node ${process.version}, ${process.arch}, ${machine()}`)
  for (const { name, tables, measure } of benchmarks.filter(each => choice.names.includes(each.name))) {
    for await (const row of measure(choice)) {
      printer.print(row)
      if (!tables.includes(row.table)) continue
      const result = resultOf(row)
      measured = withResult(measured, name, row.row, result)
      if (choice.isRecording) record(withResult(readResults(), name, row.row, result))
    }
  }
  return measured
}

function record(results: Results): void {
  writeResults(results)
  writePage(benchmarks, results, targets)
}

/** Prints which targets are missed, and whether all of those that could be judged are met. */
function check(results: Results, choice: Choice): boolean {
  const asked = targets.filter(
    ({ benchmark, row }) => choice.names.includes(benchmark) && choice.isWanted(row, false),
  )
  let met = 0
  let missed = 0
  for (const target of asked) {
    const { benchmark, row, client, reference, most } = target
    const ratio = ratioOf(target, results)
    if (ratio === undefined) {
      if (choice.isRecorded) console.log(`never measured: ${benchmark}, ${row}, ${client} and ${reference}`)
    } else if (isMissed(ratio, target)) {
      missed++
      console.log(
        `missed: ${benchmark}, ${row}: ${client} has ${ratio.toFixed(2)} of ${reference}, at most ${most} is allowed`,
      )
    } else {
      met++
    }
  }
  console.log(`${met} of ${met + missed} targets are met.`)
  return missed === 0
}

const choice = choiceOf(process.argv.slice(2), benchmarks)
const results = choice.isRecorded ? readResults() : await measure(choice)
if (choice.isRecorded && choice.isRecording) record(results)
if (choice.isChecking && !check(results, choice)) process.exitCode = 1
