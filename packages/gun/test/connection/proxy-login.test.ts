/** The credentials for proxies, without a connection. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ProxyLogin } from '../../src/connection/proxy-login.ts'
import { GunError } from '../../src/errors.ts'
import type { HostForms } from '../../src/options/host.ts'
import { proxiesOf } from '../../src/options/proxies.ts'
import type { ProxyAuth, ProxyChallenge, ProxyChoice } from '../../src/options/proxy.ts'

const origin = { host: {} as HostForms, port: 80, transport: 'tcp' } as const
const login = (choice: ProxyChoice, auth?: ProxyAuth) => new ProxyLogin(proxiesOf(choice, origin), auth)
const basic = (user: string) => `Basic ${Buffer.from(user).toString('base64')}`
const challenge = (scheme: string): ProxyChallenge => ({ scheme, realm: undefined, text: scheme })
const CHALLENGES = [challenge('basic')] as const

/** The outcome of a question that is answered at once. */
function outcome(
  it: ProxyLogin,
  challenges: readonly ProxyChallenge[] = CHALLENGES,
  index = 0,
): string | GunError {
  const told: (string | GunError)[] = []
  it.answer(index, challenges, each => told.push(each))
  assert.equal(told.length, 1)
  return told[0] ?? ''
}

function message(told: string | GunError): string {
  assert.ok(told instanceof GunError)
  return told.message
}

describe('header fields', () => {
  test('are those of the caller, where there are no credentials', () => {
    assert.deepEqual(login('http://proxy').headersFor(0), [])
    assert.deepEqual(login({ url: 'http://proxy', headers: { A: 'b' } }).headersFor(0), [['a', 'b']])
  })

  test('have the credentials of the URL', () => {
    const it = login(['http://a:1@one', 'http://two', 'http://%C3%BC:%F0%9F%98%80@three'])
    assert.deepEqual(it.headersFor(0), [['proxy-authorization', basic('a:1')]])
    assert.deepEqual(it.headersFor(1), [])
    assert.deepEqual(it.headersFor(2), [['proxy-authorization', basic('ü:😀')]])
  })

  test('have those of the caller in place of those of the URL', () => {
    const headers = [
      ['Proxy-Authorization', 'Bearer x'],
      ['a', 'b'],
    ] as const
    assert.deepEqual(login({ url: 'http://a:1@one', headers }).headersFor(0), [
      ['a', 'b'],
      ['proxy-authorization', 'Bearer x'],
    ])
  })

  test('have the last answer, of each proxy its own', () => {
    let count = 0
    const it = login(
      [{ url: 'http://a:1@one', headers: { 'proxy-authorization': 'Bearer x' } }, 'http://two'],
      () => `Bearer ${count++}`,
    )
    outcome(it)
    outcome(it)
    outcome(it, CHALLENGES, 1)
    assert.deepEqual(it.headersFor(0), [['proxy-authorization', 'Bearer 1']])
    assert.deepEqual(it.headersFor(1), [['proxy-authorization', 'Bearer 2']])
  })
})

describe('a refusal', () => {
  test('names what the proxy takes', () => {
    const text =
      'it asks for credentials (it takes digest, basic): give them in the URL of the proxy, or by proxyAuth'
    assert.equal(message(outcome(login('http://one'), ['digest', 'basic', 'digest'].map(challenge))), text)
    assert.match(message(outcome(login('http://one'), [])), /^it asks for credentials: give/)
  })

  test('does not fill the message with what the proxy has written', () => {
    const many = Array.from({ length: 1000 }, (_, i) => challenge(`scheme${i}`))
    const long = challenge('x'.repeat(1000))
    assert.ok(message(outcome(login('http://one'), [long, ...many])).length < 200)
  })

  test('counts the questions for each proxy, until the connection is up', () => {
    const it = login(['http://one', 'http://two'], () => 'Bearer x')
    for (let i = 0; i < 3; i++) assert.equal(outcome(it), 'Bearer x')
    assert.match(
      message(outcome(it)),
      /^it does not accept the credentials that it was given \(it takes basic\)$/,
    )
    assert.equal(outcome(it, CHALLENGES, 1), 'Bearer x')
    it.succeed()
    assert.equal(outcome(it), 'Bearer x')
  })
})

test('a question that was given up is not answered', async () => {
  let resolve: (value: string) => void = () => {}
  const it = login(
    'http://one',
    () =>
      new Promise<string>(settle => {
        resolve = settle
      }),
  )
  it.answer(0, CHALLENGES, () => assert.fail('it was answered'))
  it.abandon()
  resolve('Bearer x')
  await new Promise(setImmediate)
  assert.deepEqual(it.headersFor(0), [])
})

test('an answer to a question before counts no more', async () => {
  const resolves: ((value: string) => void)[] = []
  const it = login('http://one', () => new Promise<string>(settle => resolves.push(settle)))
  it.answer(0, CHALLENGES, () => assert.fail('it was answered'))
  it.abandon()
  const told = new Promise(answer => it.answer(0, CHALLENGES, answer))
  resolves[0]?.('Bearer old')
  await new Promise(setImmediate)
  resolves[1]?.('Bearer new')
  assert.equal(await told, 'Bearer new')
  assert.deepEqual(it.headersFor(0), [['proxy-authorization', 'Bearer new']])
})
