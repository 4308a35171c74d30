/** The conditions that figures were measured under: machine, software and date. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { findBun } from './crew.ts'

export interface Conditions {
  /** As `2026-01-31`. */
  readonly date: string
  /** The number and model of its processors. */
  readonly machine: string
  /** The version of each piece of software that had a part in the row. */
  readonly versions: Readonly<Record<string, string>>
}

export function machine(): string {
  const processors = cpus()
  return `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`
}

/** Gives the conditions of this moment for a row of these clients. Node and Holster have a part in every row. */
export function conditionsOf(clients: readonly string[]): Conditions {
  const words = ['node', 'holster', ...clients.flatMap(client => client.split(/\W+/))]
  const versions = [...SOFTWARE].filter(([word]) => words.includes(word)).map(([, software]) => software())
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: Object.fromEntries(versions),
  }
}

type Software = () => readonly [name: string, version: string]

/** By the word that stands for it in the names of clients. */
const SOFTWARE: ReadonlyMap<string, Software> = new Map([
  ['node', once('Node', () => process.versions.node)],
  ['holster', once('Holster', () => versionOf('@holster/gun'))],
  ['nats', once('NATS client', () => versionOf('@nats-io/transport-node'))],
  ['ws', once('ws', () => versionOf('ws'))],
  ['undici', once('undici', () => versionOf('undici'))],
  ['nact', once('nact', () => versionOf('nact'))],
  ['xstate', once('xstate', () => versionOf('xstate'))],
  ['bun', once('Bun', () => outputOf(findBun(), '--version'))],
  ['beam', once('OTP', () => outputOf('erl', '-noshell', '-eval', OTP_RELEASE))],
])

const OTP_RELEASE = 'io:put_chars(erlang:system_info(otp_release)), halt().'

function once(name: string, learn: () => string): Software {
  let version: string | undefined
  return () => {
    version ??= learn()
    return [name, version]
  }
}

function versionOf(dependency: string): string {
  const file = new URL(`../node_modules/${dependency}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}

function outputOf(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim()
}
