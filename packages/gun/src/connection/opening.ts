/** Opens a connection, whose life takes its course by the table of the machine. */

import type { ConnPid } from '../handles.js'
import { type ConnectionInput, firstContextOf, makeConnection } from './beginning.js'
import { Course } from './course.js'
import { connectionMachine } from './machine.js'
import { tableOf } from './table.js'

/** The state before the first one, shared by all connections. */
const START = tableOf(connectionMachine.root)

/** Opens a connection. Throws as `makeConnection` does. */
export function openConnection(input: ConnectionInput): ConnPid {
  const course = new Course(START)
  const connection = makeConnection(input, course)
  course.begin(connection, firstContextOf(connection))
  return connection.connPid
}
