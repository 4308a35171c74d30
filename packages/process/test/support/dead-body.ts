/** A program whose only process was killed and receives for ever: it has to end all the same. */

import { P, spawn } from '../../src/index.ts'

const self = spawn(async process => {
  for (;;) {
    try {
      await process.receive([P._])
    } catch {
      // As careless code does.
    }
  }
})
setImmediate(() => self.exit('shutdown'))
