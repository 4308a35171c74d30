import { argv } from 'node:process'
import * as gun from '@holster/gun'
import * as process from '@holster/process'
import { fromProcess } from '@holster/process/xstate'
import { talk } from './talk.mjs'

await talk(gun, { ...process, fromProcess }, Number(argv[2]))
