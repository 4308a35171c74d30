/** A process that only holds data drops what others send, which would otherwise stay for ever. */

import { P, type Process } from '@holster/process'

/** Drops all messages: the body of such a process. */
export async function silentBody(self: Process): Promise<never> {
  for (;;) await self.receive([P._])
}
