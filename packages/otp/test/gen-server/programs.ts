/** A program is a list of steps on three servers, which gen_server_peer.erl and driver.ts run alike. */

import fc from 'fast-check'

/** Why a server ends: a number stands for `{shutdown, N}`. */
export type Why = 'normal' | 'shutdown' | 'boom' | number

/** How the `init` of a server goes. */
export type How =
  | 'ok'
  | 'bad_end'
  | 'ignore'
  | 'crash'
  | 'bad'
  | readonly ['continue', number]
  | readonly ['stop', Why]

/** The request to a server. */
export type What =
  | 'get'
  | 'keep'
  | 'idle'
  | 'busy'
  | 'crash'
  | 'bad'
  | 'nope'
  | readonly ['add' | 'twice' | 'continue' | 'release', number]
  | readonly ['stop' | 'stop_reply', Why]

/** A step; its second element is the number of the server. */
export type Step =
  | readonly ['start', number, 'start' | 'link' | 'monitor', boolean, How]
  | readonly ['call' | 'call_name' | 'cast' | 'info' | 'request', number, What]
  | readonly ['receive_response' | 'wait_response', number, number]
  | readonly ['exit', number, 'normal' | 'shutdown' | 'boom' | 'kill']
  | readonly ['stop', number, Why]
  | readonly ['state' | 'suspend' | 'resume', number]
  | readonly ['replace', number, number]

const server = fc.nat(2)
const n = fc.nat(9)
const why = fc.oneof(fc.constantFrom<Why>('normal', 'shutdown', 'boom'), n)
const terms = fc.constantFrom(-1, 0, 1, 3)

const how: fc.Arbitrary<How> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<How>('ok') },
  { weight: 1, arbitrary: fc.constantFrom<How>('bad_end', 'ignore', 'crash', 'bad') },
  { weight: 1, arbitrary: fc.tuple(fc.constant('continue' as const), terms) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('stop' as const), why) },
)

const asked: fc.Arbitrary<What> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<What>('get', 'keep', 'keep', 'idle', 'busy') },
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('add' as const, 'twice' as const), n) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('continue' as const), terms) },
  { weight: 2, arbitrary: fc.constantFrom<What>('crash', 'bad', 'nope') },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('stop' as const, 'stop_reply' as const), why) },
)

const told: fc.Arbitrary<What> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('add' as const, 'release' as const), n) },
  { weight: 2, arbitrary: fc.constantFrom<What>('idle', 'busy') },
  { weight: 1, arbitrary: fc.tuple(fc.constant('continue' as const), terms) },
  { weight: 1, arbitrary: fc.constantFrom<What>('crash', 'bad', 'nope') },
  { weight: 1, arbitrary: fc.tuple(fc.constant('stop' as const), why) },
)

/** Draws the start of a server. A server that ends at once is monitored from its start: otherwise nobody knows who is quicker. */
function startOf(k: fc.Arbitrary<number>): fc.Arbitrary<Step> {
  return fc
    .tuple(k, fc.constantFrom('start' as const, 'link' as const, 'monitor' as const), fc.boolean(), how)
    .map(([number, mode, trapExit, goes]) => {
      const endsAtOnce = typeof goes !== 'string' && goes[0] === 'continue' && goes[1] === -1
      return ['start', number, endsAtOnce ? 'monitor' : mode, trapExit, goes] as const
    })
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: startOf(server) },
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('call' as const, 'call_name' as const), server, asked) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('request' as const), server, asked) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('cast' as const, 'info' as const), server, told) },
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom('receive_response' as const, 'wait_response' as const),
      server,
      fc.nat(5),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant('exit' as const),
      server,
      fc.constantFrom('normal' as const, 'shutdown' as const, 'boom' as const, 'kill' as const),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('stop' as const), server, why) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom('state' as const, 'suspend' as const, 'resume' as const, 'resume' as const),
      server,
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('replace' as const), server, n) },
)

/** A program that begins with three servers, most of which run. */
export const programs: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    startOf(fc.constant(0)),
    startOf(fc.constant(1)),
    startOf(fc.constant(2)),
    fc.array(step, { minLength: 5, maxLength: 40 }),
  )
  .map(([one, two, three, steps]) => [one, two, three, ...steps])
