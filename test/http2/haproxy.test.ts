// HTTP/2 and its WebSockets with haproxy, which speaks HTTP/1.1 to the server behind it.

import { requestsThrough, webSocketsThrough } from '../support/proxy-cases.ts'

const gracefully = 'SIGUSR1'

// haproxy 2.6 ends what its server has cut short as if it were whole, so only a content-length shows it.
requestsThrough('haproxy', { gracefully, cutShort: 'protocol_error', old: ['tcp', 'tls'] })
webSocketsThrough('haproxy', { gracefully })
