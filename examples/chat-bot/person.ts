/** A person says one line after the other in a room, and waits for the bot's answer to each. */

import type { Said } from './message.ts'
import type { Room } from './server.ts'

/** Resolves to the answers that the bot, of the name `bot`, has given. */
export async function talk(
  room: Room,
  name: string,
  lines: readonly string[],
  bot: string,
): Promise<readonly string[]> {
  const answers: string[] = []
  for (const line of lines) {
    const answer = new Promise<string>(resolve => {
      const unlisten = room.listen(({ from, text }: Said) => {
        if (from !== bot || !text.startsWith(`${name}: `)) return
        unlisten()
        resolve(text)
      })
    })
    room.say(name, line)
    answers.push(await answer)
  }
  return answers
}
