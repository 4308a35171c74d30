/** The measures that OpenTelemetry and Prometheus have in common: their names in both, and how to read them from the figures. */

import { countBy, type Figures } from './figures.js'

/** A value of a measure, with the texts that tell it from the others in the order of the measure's labels. */
export interface Reading {
  readonly value: number
  readonly texts: readonly string[]
}

/** A measure. */
export interface Measure {
  /** The name, as OpenTelemetry writes names. */
  readonly name: string
  /** The name, as Prometheus writes names. */
  readonly prometheusName: string
  /** The unit in UCUM, as OpenTelemetry wants it. */
  readonly unit: string
  readonly description: string
  /** The names of what tells values apart: for OpenTelemetry and for Prometheus. */
  readonly labels: readonly (readonly [attribute: string, label: string])[]
  read(figures: Figures): readonly Reading[]
}

const one = (value: number): readonly Reading[] => [{ value, texts: [] }]

const POOL = [
  ['holster.pool.authority', 'authority'],
  ['holster.pool.scope', 'scope'],
] as const

export const MEASURES: readonly Measure[] = [
  {
    name: 'holster.process.count',
    prometheusName: 'holster_processes',
    unit: '{process}',
    description: 'Processes that have not exited.',
    labels: [['holster.process.status', 'status']],
    read: ({ running, waiting }) => [
      { value: running, texts: ['running'] },
      { value: waiting, texts: ['waiting'] },
    ],
  },
  {
    name: 'holster.mailbox.messages',
    prometheusName: 'holster_mailbox_messages',
    unit: '{message}',
    description: 'Messages that wait in all mailboxes.',
    labels: [],
    read: ({ messages }) => one(messages),
  },
  {
    name: 'holster.mailbox.bytes',
    prometheusName: 'holster_mailbox_bytes',
    unit: 'By',
    description: 'Bytes that the waiting messages hold, as the connections count them that delivered them.',
    labels: [],
    read: ({ bytes }) => one(bytes),
  },
  {
    name: 'holster.mailbox.over_mark',
    prometheusName: 'holster_mailbox_over_mark',
    unit: '{process}',
    description: 'Processes whose mailboxes are over their high-water marks.',
    labels: [],
    read: ({ overMark }) => one(overMark),
  },
  {
    name: 'holster.connection.count',
    prometheusName: 'holster_connections',
    unit: '{connection}',
    description: 'Connections that have not ended, those that are being made among them.',
    labels: [
      ['holster.connection.state', 'state'],
      ['network.protocol.name', 'protocol'],
    ],
    read: ({ connections }) => {
      const counts = countBy(connections, ({ stateName, protocol }) => `${stateName} ${protocol ?? 'none'}`)
      return [...counts].map(([text, value]) => ({ value, texts: text.split(' ') }))
    },
  },
  {
    name: 'holster.pool.connections',
    prometheusName: 'holster_pool_connections',
    unit: '{connection}',
    description: 'Connections of pools.',
    labels: [...POOL, ['holster.connection.state', 'state']],
    read: ({ pools }) =>
      pools.flatMap(({ authority, scope, states }) =>
        [...states].map(([state, value]) => ({ value, texts: [authority, scope, state] })),
      ),
  },
  {
    name: 'holster.pool.waiting',
    prometheusName: 'holster_pool_waiting',
    unit: '{request}',
    description: 'Callers that wait for a connection of a pool.',
    labels: POOL,
    read: ({ pools }) =>
      pools.map(({ authority, scope, waiting }) => ({ value: waiting, texts: [authority, scope] })),
  },
]
