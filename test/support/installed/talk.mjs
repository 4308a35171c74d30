// A user's program: makes actor logic of a process, sends a request over HTTP/1.1, then opens a compressed WebSocket.

export async function talk(gun, { createProcess, fromProcess, P }, port) {
  console.log('actor logic:', typeof fromProcess(() => {}).transition)
  const owner = createProcess()
  const connPid = gun.open('127.0.0.1', port, { owner, retry: 0 })
  const request = gun.get(connPid, '/')
  const { status } = await gun.await(connPid, request, 60_000)
  await gun.awaitBody(connPid, request, 60_000)
  console.log('status:', status)
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { compress: true })
  const { headers } = await owner.receive([{ type: 'gun_upgrade', streamRef }], 60_000)
  console.log('compressed:', new Map(headers).has('sec-websocket-extensions'))
  gun.wsSend(connPid, streamRef, ['text', 'Hello! '.repeat(1000)])
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef, frame: ['text', P.string] }], 60_000)
  console.log('echoed:', frame[1].length)
  gun.wsSend(connPid, streamRef, 'close')
  await owner.receive([{ type: 'gun_down', connPid }], 60_000)
}
