#!/usr/bin/env node
/** The program `holster-observer`. */

import { run } from './terminal/run.js'

process.exitCode = await run(process.argv.slice(2))
