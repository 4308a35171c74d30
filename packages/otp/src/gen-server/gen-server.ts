/** Servers: processes that answer calls, after Erlang's `gen_server`. */

export { call, type From, reply } from '@holster/process'
export {
  type After,
  type Async,
  BadReturnValueError,
  type CallAnswer,
  type InitAnswer,
  type NoReplyAnswer,
  type Value,
} from './answers.js'
export type {
  AnswerOf,
  ArgsOf,
  Callbacks,
  Cast,
  CastOf,
  Checks,
  HandleCall,
  HandleMessage,
  HasState,
  HasTerms,
  IdleTimeout,
  InfoOf,
  Init,
  MessagesOf,
  ReplyOf,
  RequestTo,
  StateIsOfAnotherType,
  StateOf,
  Tagged,
  TakesState,
  TermIsOfAnotherType,
  Terminate,
  TermOf,
} from './callbacks.js'
export { abcast, cast, type MultiReplies, multiCall } from './casts.js'
export { type ChildArgs, type ChildOptions, childSpec } from './child.js'
export { FunctionClauseError, StartError } from './errors.js'
export {
  checkResponse,
  type RequestId,
  receiveResponse,
  sendRequest,
  waitResponse,
} from './requests.js'
export { define, type Server, type ServerPid } from './server.js'
export { type Monitored, type StartArgs, type StartOptions, start, startLink, startMonitor } from './start.js'
export { getState, replaceState, resume, type StateIn, stop, suspend } from './system.js'
export type { SystemRequest } from './system-request.js'
