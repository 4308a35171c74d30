import { argv } from 'node:process'
import * as gun from '@holster/gun'
import * as process from '@holster/process'
import { talk } from './talk.mjs'

await talk(gun, process, Number(argv[2]))
