/** The head of the screen: what the program is, what lives in it, what it does now, and what stands out. */

import type { Hello, Overview, Sample } from '../words.js'
import { type Line, piece } from './line.js'
import { duration, short, size, sparkline } from './numbers.js'
import { cut } from './text.js'

/** How many bars a plot has. */
const BARS = 20
/** How much delay of the event loop stands out, in milliseconds. */
const LONG = 100
/** How many samples are kept: ten minutes of them. */
const KEPT = 600

/** The overview, with the samples of the last ten minutes. */
export class Head {
  overview: Overview | undefined
  #samples: readonly Sample[] = []

  /** Takes an overview, whose samples are those that are new. */
  take(overview: Overview): void {
    this.overview = overview
    const last = this.#samples.at(-1)?.at ?? 0
    const fresh = overview.samples.filter(({ at }) => at > last)
    this.#samples = [...this.#samples, ...fresh].slice(-KEPT)
  }

  /** Forgets all samples, since another program may answer now. */
  forget(): void {
    this.#samples = []
  }

  /** The lines; there are always as many. */
  lines(hello: Hello | undefined, lost: string | undefined, width: number, now: number): readonly Line[] {
    const { overview } = this
    if (overview === undefined) {
      return [
        [piece(hello?.node ?? 'Connecting …', 'bold')],
        [],
        [],
        lost === undefined ? [] : [lostLine(lost)],
      ]
    }
    return [first(overview, now), counts(overview), this.#measures(), this.#noteworthy(overview, lost, width)]
  }

  #measures(): Line {
    const sample = this.#samples.at(-1)
    if (sample === undefined) return []
    const { messages, backlog, heap, delay, cpu } = sample
    const plot = sparkline(
      this.#samples.map(each => each.messages),
      BARS,
    )
    return [
      piece(`messages/s ${messages === null ? '-' : short(messages)} `),
      piece(plot, 'accent'),
      piece(`  backlog ${short(backlog)}  heap ${size(heap)}  `),
      piece(`delay ${duration(delay)}`, delay >= LONG ? 'warning' : 'plain'),
      piece(`  CPU ${Math.round(cpu * 100)}%`),
    ]
  }

  #noteworthy({ findings }: Overview, lost: string | undefined, width: number): Line {
    if (lost !== undefined) return [lostLine(lost)]
    const [finding] = findings
    if (finding === undefined) return [piece('nothing stands out', 'dim')]
    const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : ''
    return [
      piece(
        `! ${cut(finding.text, width - 2 - more.length)}${more}`,
        finding.level === 'warning' ? 'warning' : 'plain',
      ),
    ]
  }
}

function lostLine(lost: string) {
  return piece(`connection lost, trying again: ${lost}`, 'warning')
}

function first({ node, program, pid, nodeVersion, since }: Overview, now: number): Line {
  const up = duration(now - since)
  const version = nodeVersion.replace(/^v?/, 'Node ')
  return [piece(node, 'bold'), piece(`  pid ${pid}  ${version}  observed for ${up}  ${program}`)]
}

function counts({ processes, waiting, connections, connectionsUp, pools, supervisors }: Overview): Line {
  return [
    piece(`processes ${short(processes)} (${short(waiting)} waiting)  `),
    piece(`connections ${short(connections)} (${short(connectionsUp)} up)  `),
    piece(`pools ${pools}  supervisors ${supervisors}`),
  ]
}
