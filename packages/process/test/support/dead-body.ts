/** A program that has to end although the body of its killed process receives for ever. */

import { P, spawn } from '../../src/index.ts'

const self = spawn(async process => {
  for (;;) {
    try {
      await process.receive([P._])
    } catch {
      // Careless code does so.
    }
  }
})
setImmediate(() => self.exit('shutdown'))
