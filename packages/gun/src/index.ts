/**
 * Gun: HTTP and WebSocket connections that belong to an owner and post everything that happens to its
 * mailbox.
 *
 * @module
 */

export type { BareMessage, Body, FullResponse, StreamMessage } from './await/await.js'
export { childSpec } from './child-spec.js'
export type { ConnectionInput } from './connection/beginning.js'
export type { Ending } from './connection/ending.js'
export type { ConnectionContext, Setback } from './connection/events.js'
export { connectionMachine } from './connection/machine.js'
export { type DecodeOpts, decode } from './content/decode.js'
export { type SseOpts, sse } from './content/sse.js'
export { GunError, type GunErrorCode, type GunErrorCodes, type GunErrorKind } from './errors.js'
export * from './functions.js'
export type { ConnPid, StreamRef } from './handles.js'
export type { HeadersInit } from './headers.js'
export type {
  ConnectionInfo,
  Info,
  Intermediary,
  RemoteInfo,
  RemoteStreamInfo,
  RequestInfo,
  StreamInfo,
  TunnelInfo,
  WebSocketInfo,
} from './layer/info.js'
export type {
  ConnectionMessage,
  DrainNotify,
  GunData,
  GunDown,
  GunErrorMessage,
  GunInform,
  GunMessage,
  GunNotify,
  GunPush,
  GunResponse,
  GunSse,
  GunStarted,
  GunTrailers,
  GunTunnelUp,
  GunUp,
  GunUpgrade,
  GunWs,
  Owner,
  PingNotify,
  RawData,
  RawDrainNotify,
  Receiver,
  ReplyTo,
  ServerSentEvent,
  ServerSettings,
  SettingsNotify,
  SocksUp,
  SseEvent,
  SseFin,
  StreamReply,
  TunnelUp,
  UpgradeRefusedNotify,
} from './messages.js'
export type { Bytes } from './octets.js'
export type { AwaitBodyOpts, AwaitOpts } from './options/await.js'
export type { ChildSpecOf, ChildSpecOpts, PoolChildSpecOpts } from './options/child-spec.js'
export type { ConnectionOpts, Retry } from './options/connection.js'
export type { ContentHandler, ContentReader, ContentResponse, Next } from './options/content-handler.js'
export type { CookieStore } from './options/cookie-store.js'
export type {
  CancelEvent,
  ConnectEvent,
  ConnectionEvent,
  DisconnectEvent,
  DomainLookupEvent,
  EventHandler,
  EventMap,
  EventName,
  InitEvent,
  OriginChangedEvent,
  ProtocolChangedEvent,
  PushPromiseEndEvent,
  RequestCreateEvent,
  RequestEvent,
  ResponseHeadersEvent,
  ResponseTrailersEvent,
  StreamErrorEvent,
  StreamEvent,
  TerminateEvent,
  TlsHandshakeEvent,
  WsRecvFrameEndEvent,
  WsRecvFrameHeaderEvent,
  WsSendFrameEvent,
  WsUpgradeEvent,
} from './options/events.js'
export type { Http2Opts, HttpOpts, PingOpts, ReqOpts } from './options/http.js'
export type { Opts } from './options/options.js'
export type {
  CheckoutLimits,
  CheckoutOpts,
  PoolAwaitOpts,
  PoolAwaitUpOpts,
  PoolConnOpts,
  PoolLookupOpts,
  PoolMeta,
  PoolOpts,
  PoolReqOpts,
  PoolWsSendOpts,
  SetupFun,
  SetupMessage,
  SetupResult,
  StopPoolOpts,
} from './options/pool.js'
export type {
  ProxyAuth,
  ProxyChallenge,
  ProxyChoice,
  ProxyCredentials,
  ProxyOpts,
  ProxyUser,
} from './options/proxy.js'
export type { TcpOpts, TlsOpts } from './options/socket.js'
export type {
  ConnectDestination,
  ProtocolInit,
  RawOpts,
  SocksAuth,
  SocksOpts,
  TunnelEnd,
} from './options/tunnel.js'
export type { CompressOpts, ReupgradeOpts, WsHandler, WsOpts } from './options/websocket.js'
export type { Checkout } from './pool/checkout.js'
export * as pool from './pool/functions.js'
export type { PoolConnInfo, PoolInfo } from './pool/info.js'
export type { PoolPid } from './pool/process.js'
export type { PoolStreamRef } from './pool/reference.js'
export type { PoolState } from './pool/states.js'
export type { Headers, IsFin, ProtocolName, WsFrame, WsFrameIn } from './words.js'
