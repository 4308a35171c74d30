/** Lays out a machine of xstate as a drawing of nested boxes and arrows, when the page is built. */

import Elk from 'elkjs/lib/elk.bundled.js'

const FONT = 6.6
const LABEL_FONT = 5.9
const LINE = 14
/** How many states must end alike to be framed. */
const ALIKE = 3

const ROOT = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
  'elk.spacing.nodeNode': '16',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '9',
  'elk.spacing.edgeLabel': '3',
  'elk.layered.spacing.nodeNodeBetweenLayers': '15',
  'elk.layered.spacing.edgeNodeBetweenLayers': '9',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.cycleBreaking.strategy': 'GREEDY',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
}

/** Gives the drawing of a machine. */
export async function chartOf(machine) {
  const states = new Map()
  const graph = {
    id: 'root',
    layoutOptions: ROOT,
    children: childrenOf(machine.root, states),
    edges: arrowsOf(machine.root, states),
  }
  const laid = await new Elk().layout(graph)
  return {
    width: Math.ceil(laid.width),
    height: Math.ceil(laid.height),
    states: placed(laid.children, states),
    arrows: laid.edges.map(drawn),
  }
}

function childrenOf(parent, states) {
  const depth = parent.path.length
  const own = Object.values(parent.states).map(node => {
    const path = node.path.join('.')
    const inner = Object.keys(node.states).length > 0
    states.set(path, {
      path,
      text: node.key,
      kind: node.type === 'final' ? 'final' : 'state',
      isParent: inner,
      depth,
    })
    const width = Math.ceil(node.key.length * FONT) + 26
    if (!inner) {
      // The frame around the first states keeps the dot outside from putting its state on top.
      const isFirst = parent.parent === undefined && node === parent.initial.target[0]
      const layoutOptions = isFirst ? { 'elk.layered.layering.layerConstraint': 'FIRST' } : {}
      return { id: path, width, height: 26, layoutOptions }
    }
    return {
      id: path,
      layoutOptions: {
        'elk.padding': '[top=30,left=12,bottom=12,right=12]',
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${width}, 40)`,
      },
      children: childrenOf(node, states),
    }
  })
  const alike = alikeIn(parent)
  if (alike.length === 0) return [...dotsOf(parent, states), ...own]
  const path = groupOf(parent)
  states.set(path, { path, text: '', kind: 'group', isParent: true, depth })
  const isAlike = ({ id }) => alike.some(node => node.path.join('.') === id)
  const group = {
    id: path,
    layoutOptions: { 'elk.padding': '[top=12,left=12,bottom=12,right=12]' },
    children: own.filter(isAlike),
  }
  return [...dotsOf(parent, states), group, ...own.filter(node => !isAlike(node))]
}

/** The states that end alike, around which a frame is drawn, so that one arrow shows what happens in each of them. */
function alikeIn(parent) {
  const sources = new Map()
  for (const node of Object.values(parent.states)) {
    for (const key of endsOf(node)) sources.set(key, [...(sources.get(key) ?? []), node])
  }
  const [smallest = []] = [...sources.values()]
    .filter(nodes => nodes.length >= ALIKE)
    .sort((a, b) => a.length - b.length)
  return smallest
}

/** What leads out of a state, as texts to compare. */
function endsOf(node) {
  return new Set(
    transitionsOf(node)
      .filter(({ target }) => target?.[0] !== undefined && !isInside(target[0], node))
      .map(({ target, eventType }) => `${eventType} ${target[0].path.join('.')}`),
  )
}

function groupOf(parent) {
  return `${parent.path.join('.')}:group`
}

/** The dots from which arrows come: where a state begins, and any of the states within one. */
function dotsOf(parent, states) {
  const path = parent.path.join('.')
  const depth = parent.path.length
  const dots = [{ id: `${path}:initial`, width: 10, height: 10 }]
  states.set(`${path}:initial`, {
    path: `${path}:initial`,
    text: '',
    kind: 'initial',
    isParent: false,
    depth,
  })
  if (transitionsOf(parent).some(({ target }) => isInside(target?.[0], parent))) {
    dots.push({ id: `${path}:any`, width: 38, height: 22 })
    states.set(`${path}:any`, { path: `${path}:any`, text: 'any', kind: 'any', isParent: false, depth })
  }
  return dots
}

function arrowsOf(root, states) {
  const events = new Map()
  const order = [...states.keys()]
  const note = (from, to, event) => {
    const key = `${from} ${to}`
    const { names } = events.get(key) ?? { names: new Set() }
    if (event !== '') names.add(event)
    events.set(key, { from, to, names })
  }
  const visit = (node, shared = new Set()) => {
    const path = node.path.join('.')
    const alike = alikeIn(node)
    const common = new Set(
      alike.length === 0 ? [] : [...endsOf(alike[0])].filter(key => alike.every(one => endsOf(one).has(key))),
    )
    for (const key of common) {
      const [event, to] = key.split(' ')
      note(groupOf(node), to, event)
    }
    for (const { target, eventType } of transitionsOf(node)) {
      const [to] = target ?? []
      if (to === undefined || to === node || shared.has(`${eventType} ${to.path.join('.')}`)) continue
      note(isInside(to, node) ? `${path}:any` : path, to.path.join('.'), eventType)
    }
    for (const child of Object.values(node.states)) visit(child, alike.includes(child) ? common : new Set())
    const [first] = Object.keys(node.states).length > 0 ? node.initial.target : []
    if (first !== undefined) note(`${path}:initial`, first.path.join('.'), '')
  }
  visit(root)
  return [...events.values()]
    .filter(({ from, to }) => states.has(from) && states.has(to))
    .map(({ from, to, names }, at) => ({
      id: `arrow ${at}`,
      sources: [from],
      targets: [to],
      // The drawing runs downwards in the order in which the states are written.
      layoutOptions: {
        'elk.layered.priority.direction': order.indexOf(from) < order.indexOf(to) ? '9' : '0',
      },
      labels: linesOf([...names]).map(text => ({
        text,
        width: Math.ceil(text.length * LABEL_FONT) + 4,
        height: LINE,
        layoutOptions: { 'elk.edgeLabels.placement': 'CENTER' },
      })),
    }))
}

/** Events in lines of two, as an arrow has little room. */
function linesOf(names) {
  const lines = []
  for (let at = 0; at < names.length; at += 2) lines.push(names.slice(at, at + 2).join(', '))
  return lines
}

function transitionsOf(node) {
  return [...(node.always ?? []), ...[...node.transitions.values()].flat()]
}

function isInside(node, ancestor) {
  for (let at = node?.parent; at !== undefined; at = at.parent) if (at === ancestor) return true
  return false
}

function placed(nodes, states) {
  return nodes.flatMap(({ id, x, y, width, height, children = [] }) => [
    { ...states.get(id), x: rounded(x), y: rounded(y), width: rounded(width), height: rounded(height) },
    ...placed(children, states),
  ])
}

function drawn({ sources, targets, sections = [], labels = [] }) {
  return {
    from: sources[0],
    to: targets[0],
    points: sections
      .flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint])
      .map(({ x, y }) => [rounded(x), rounded(y)]),
    labels: labels.map(({ text, x, y, width }) => ({
      text,
      x: rounded(x + width / 2),
      y: rounded(y + LINE - 3.5),
    })),
  }
}

function rounded(number) {
  return Math.round(number * 10) / 10
}
