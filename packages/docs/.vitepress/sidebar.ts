/** The navigation above and beside the pages: the chapters of the guide in their order, and the pages of the API. */

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DefaultTheme } from 'vitepress'

const api = fileURLToPath(new URL('../../../docs/api/sidebar.json', import.meta.url))

export const navigation: DefaultTheme.NavItem[] = [
  { text: 'Guide', link: '/guide/introduction', activeMatch: '^/(guide|otp|from|how-to|reference)/' },
  { text: 'API', link: '/api/', activeMatch: '^/api/' },
  { text: 'Examples', link: '/examples/', activeMatch: '^/examples/' },
  { text: 'Changes', link: '/changelog' },
]

const page = (text: string, link: string) => ({ text, link })

const guide: DefaultTheme.SidebarItem[] = [
  {
    text: 'Guide',
    items: [
      page('Introduction', '/guide/introduction'),
      page('Starting', '/guide/starting'),
      page('Connecting', '/guide/connecting'),
      page('Protocols', '/guide/protocols'),
      page('HTTP', '/guide/http'),
      page('WebSocket', '/guide/websocket'),
      page('Tunnels', '/guide/tunnels'),
      page('Processes and receive', '/guide/processes'),
      page('Back-pressure', '/guide/back-pressure'),
      page('Errors', '/guide/errors'),
      page('Supervision', '/guide/supervision'),
      page('Pools', '/guide/pools'),
      page('Nodes', '/guide/nodes'),
      page('The observer', '/guide/observer'),
    ],
  },
  {
    text: 'Coming from',
    items: [
      page('Erlang', '/from/erlang'),
      page('Elixir and Gleam', '/from/elixir-and-gleam'),
      page('ws, undici, EventEmitters', '/from/ws-and-undici'),
      page('Differences from Gun', '/from/differences-from-gun'),
    ],
  },
  {
    text: 'How to',
    items: [
      page('Tune it', '/how-to/tuning'),
      page('Debug a stuck process', '/how-to/debugging'),
      page('Test your code', '/how-to/testing'),
      page('Bundle it', '/how-to/bundling'),
      page('Keep it safe', '/how-to/security'),
    ],
  },
  {
    text: 'OTP',
    items: [
      page('From OTP to TypeScript', '/otp/'),
      page('Servers', '/otp/gen-server'),
      page('Supervisors', '/otp/supervisor'),
      page('Machines', '/otp/machines'),
      page('Tasks', '/otp/task'),
      page('Registries', '/otp/registry'),
      page('Process groups', '/otp/pg'),
      page('Applications', '/otp/application'),
    ],
  },
  {
    text: 'All on one page',
    items: [
      page('@holster/gun', '/reference/gun'),
      page('@holster/process', '/reference/process'),
      page('@holster/otp', '/reference/otp'),
    ],
  },
  {
    text: 'About it',
    items: [
      page('Benchmarks', '/benchmarks'),
      page('Architecture', '/architecture'),
      page('The life of a connection', '/statechart'),
      page('Decisions', '/decisions/'),
      page('Contributing', '/contributing'),
      page('Security policy', '/security'),
      page('Changes', '/changelog'),
    ],
  },
]

export const sidebar = (): DefaultTheme.Sidebar => ({
  ...(existsSync(api) ? JSON.parse(readFileSync(api, 'utf8')) : {}),
  '/': guide,
})
