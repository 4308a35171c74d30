/** A server that a test starts ends with the test, however that ends. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { needing, nghttpd } from './debian-servers.ts'

const self = fileURLToPath(import.meta.url)

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

if (process.env.STARTS_A_SERVER !== undefined) {
  const { port } = await nghttpd({ transport: 'tcp' })
  process.send?.(port)
} else {
  test(
    'a server ends with the process that started it, even if that is killed',
    needing('nghttpd'),
    async () => {
      const child = spawn(process.execPath, ['--import', 'tsx', self], {
        env: { ...process.env, STARTS_A_SERVER: '1' },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      const ended = once(child, 'exit')
      const [port] = await once(child, 'message')
      assert.ok(await accepts(port))
      child.kill('SIGKILL')
      await ended
      while (await accepts(port)) await turn()
    },
  )
}
